#include "sim/kv_workload.h"

#include <string>
#include <vector>

#include "services/kv/request.h"
#include "services/kv/service.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint64_t kKeys = 12;
constexpr uint64_t kRegisters = 3;

Bytes command(const std::vector<std::string>& words) {
  const std::vector<ByteView> args(words.begin(), words.end());
  return kv::command_request(kv::Protocol::kResp2, args);
}

/// Registers that are only set, each time to another value, and got: their histories are checked.
std::string register_key(uint64_t number) {
  return "register:" + std::to_string(number);
}

std::string own_counter(uint16_t client) {
  return "own:" + std::to_string(client);
}

/// What a RESP bulk string holds; none for null.
std::optional<ByteView> bulk_string(ByteView reply) {
  if (reply == "$-1\r\n") return std::nullopt;
  const size_t end = reply.find("\r\n");
  if (!reply.starts_with('$') || end == ByteView::npos || !reply.ends_with("\r\n")) {
    throw Violation("service", "GET replied " + Bytes(reply));
  }
  return reply.substr(end + 2, reply.size() - end - 4);
}

}  // namespace

execution::MakeService KvWorkload::service() const {
  return kv::make_service;
}

Bytes KvWorkload::request(uint16_t client, uint64_t number, Random& random) {
  const auto key = [&random] { return "key:" + std::to_string(random.below(kKeys)); };
  const std::string value = std::to_string(client) + ':' + std::to_string(number);
  switch (random.below(16)) {
    case 12:
    case 13:
      return command({"SET", register_key(random.below(kRegisters)), value});
    case 14:
    case 15:
      return command({"GET", register_key(random.below(kRegisters))});
    case 0:
    case 1:
      return command({"SET", key(), value});
    case 2:
      return command({"GET", key()});
    case 3:
      return command({"DEL", key(), key()});
    case 4:
      return command({"APPEND", key(), value});
    case 5:
      return command({"MSET", key(), value, key(), value});
    case 6:
      return command({"PEXPIRE", key(), std::to_string(1 + random.below(500))});
    case 7:
      return command({"INCR", "shared"});
    case 8:
      return random.chance(1, 4) ? command({"DBSIZE"}) : command({"STRLEN", key()});
    default:
      return command({"INCR", own_counter(client)});
  }
}

Bytes KvWorkload::rogue_request(uint16_t client, uint64_t, Random&) {
  return command({"INCR", own_counter(client)});
}

void KvWorkload::check(uint16_t client, uint64_t, ByteView request, ByteView reply) {
  if (reply == kv::kMalformedRequest) throw Violation("service", "a request was malformed");
  if (reply == kRequestFailed) throw Violation("service", "the KV server threw an exception");
  if (request != command({"INCR", own_counter(client)})) return;
  Own& own = own_[client];
  ++own.increments;
  // Those that nobody knows of may have run as well.
  bool right = false;
  for (uint64_t more = 0; more <= own.unknown; ++more) {
    right = right || reply == ":" + std::to_string(own.increments + more) + "\r\n";
  }
  if (!right) {
    throw Violation("exactly once",
                    "increment " + std::to_string(own.increments) + " replied " + Bytes(reply));
  }
}

void KvWorkload::saw(const Seen& seen) {
  if (!seen.reply && seen.request == command({"INCR", own_counter(seen.client)})) {
    ++own_[seen.client].unknown;
  }
  const std::string value = std::to_string(seen.client) + ':' + std::to_string(seen.number);
  const bool answered = seen.reply.has_value();
  for (uint64_t i = 0; i < kRegisters; ++i) {
    const std::string key = register_key(i);
    if (seen.request == command({"SET", key, value})) {
      registers_.wrote(key, value, seen.invoked,
                       answered ? std::optional(seen.completed) : std::nullopt);
    }
    if (answered && seen.request == command({"GET", key})) {
      registers_.read(key, bulk_string(*seen.reply), seen.invoked, seen.completed);
    }
  }
}

}  // namespace eve::sim
