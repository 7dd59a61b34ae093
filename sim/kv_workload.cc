#include "sim/kv_workload.h"

#include <string>
#include <vector>

#include "services/kv/request.h"
#include "services/kv/service.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint64_t kKeys = 12;

Bytes command(const std::vector<std::string>& words) {
  const std::vector<ByteView> args(words.begin(), words.end());
  return kv::command_request(kv::Protocol::kResp2, args);
}

std::string own_counter(uint16_t client) {
  return "own:" + std::to_string(client);
}

}  // namespace

execution::MakeService KvWorkload::service() const {
  return kv::make_service;
}

Bytes KvWorkload::request(uint16_t client, uint64_t number, Random& random) {
  const auto key = [&random] { return "key:" + std::to_string(random.below(kKeys)); };
  const std::string value = std::to_string(client) + ':' + std::to_string(number);
  switch (random.below(12)) {
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
  const uint64_t expected = ++own_increments_[client];
  if (reply != ":" + std::to_string(expected) + "\r\n") {
    throw Violation("exactly once",
                    "increment " + std::to_string(expected) + " replied " + Bytes(reply));
  }
}

}  // namespace eve::sim
