#include "sim/append_workload.h"

#include <algorithm>
#include <string>

#include "eve/codec.h"
#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kLists = 12;
constexpr size_t kValueBytes = 8;
constexpr char kAppend = 'A';
constexpr char kRead = 'R';

/// What a request does to one list.
struct Part {
  char operation;
  uint32_t key;
};

/// A request of the others' shape: `first`, `second` and `amount` are lists, two bits of each part
/// say what is done with them.
std::vector<Part> parts_of(const Request& request) {
  std::vector<Part> parts;
  for (const uint32_t coded : {request.first, request.second, request.amount}) {
    if (coded == 0) continue;
    parts.push_back({coded % 2 == 0 ? kAppend : kRead, coded / 2 - 1});
  }
  return parts;
}

uint32_t code(const Part& part) {
  return 2 * (part.key + 1) + (part.operation == kAppend ? 0 : 1);
}

/// Of a request's part: each its own.
uint64_t value_of(const Request& request, size_t part) {
  return request.id * 4 + part;
}

class ListService final : public Service {
 public:
  explicit ListService(State& state) : lists_(state, "lists") {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (!request) return;
    for (const Part& part : parts_of(*request)) {
      const std::string key = std::to_string(part.key);
      part.operation == kAppend ? out.write(key) : out.read(key);
    }
  }

  /// The lists read, each after its length.
  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    const auto parts = parts_of(*request);
    for (size_t i = 0; i < parts.size(); ++i) {
      std::string list = lists_.get(context, parts[i].key).value_or("");
      if (parts[i].operation == kAppend) {
        Codec<uint64_t>::encode(value_of(*request, i), list);
        lists_.put(context, parts[i].key, list);
      } else {
        Codec<uint32_t>::encode(static_cast<uint32_t>(list.size()), reply);
        reply += list;
      }
    }
  }

 private:
  Map<uint32_t, std::string> lists_;
};

/// One list cut off the front of a reply; none if it is not one.
std::optional<std::vector<uint64_t>> take_list(ByteView& reply) {
  if (reply.size() < sizeof(uint32_t)) return std::nullopt;
  const size_t bytes = *Codec<uint32_t>::decode(reply.substr(0, sizeof(uint32_t)));
  reply.remove_prefix(sizeof(uint32_t));
  if (bytes > reply.size() || bytes % kValueBytes != 0) return std::nullopt;
  std::vector<uint64_t> list;
  for (size_t at = 0; at < bytes; at += kValueBytes) {
    list.push_back(*Codec<uint64_t>::decode(reply.substr(at, kValueBytes)));
  }
  reply.remove_prefix(bytes);
  return list;
}

}  // namespace

execution::MakeService AppendWorkload::service() const {
  return [](State& state) { return std::make_unique<ListService>(state); };
}

Bytes AppendWorkload::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.operation = 'L';
  request.id = unique_id(client, number);
  std::vector<uint32_t> codes;
  std::vector<uint32_t> taken;
  const uint64_t parts = 1 + random.below(3);
  for (uint64_t i = 0; i < parts; ++i) {
    const auto key = static_cast<uint32_t>(random.below(kLists));
    if (std::find(taken.begin(), taken.end(), key) != taken.end()) continue;
    taken.push_back(key);
    codes.push_back(code({random.chance(1, 2) ? kAppend : kRead, key}));
  }
  codes.resize(3);
  request.first = codes[0];
  request.second = codes[1];
  request.amount = codes[2];
  return encode(request);
}

Bytes AppendWorkload::rogue_request(uint16_t client, uint64_t number, Random&) {
  Request request;
  request.operation = 'L';
  request.id = unique_id(client, number);
  request.first = code({kAppend, kLists + client});
  request.second = code({kRead, kLists + client});
  return encode(request);
}

void AppendWorkload::check(uint16_t, uint64_t, ByteView request, ByteView reply) {
  for (const Part& part : parts_of(*decode_request(request))) {
    if (part.operation == kRead && !take_list(reply)) {
      throw Violation("service", "a reply that lists never give");
    }
  }
  if (!reply.empty()) throw Violation("service", "a reply longer than its lists");
}

void AppendWorkload::saw(const Seen& seen) {
  const Request request = *decode_request(seen.request);
  AppendHistory::Transaction transaction{seen.client, seen.invoked, std::nullopt, {}};
  if (seen.reply) transaction.completed = seen.completed;
  ByteView reply = seen.reply.value_or("");
  const auto parts = parts_of(request);
  for (size_t i = 0; i < parts.size(); ++i) {
    AppendHistory::Operation operation{parts[i].key, std::nullopt, {}};
    if (parts[i].operation == kAppend) {
      operation.appended = value_of(request, i);
    } else if (seen.reply) {
      operation.list = take_list(reply).value_or(std::vector<uint64_t>());
    }
    transaction.operations.push_back(std::move(operation));
  }
  history_.add(std::move(transaction));
}

}  // namespace eve::sim
