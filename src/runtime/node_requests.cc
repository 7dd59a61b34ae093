#include "runtime/node_requests.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

using nlohmann::ordered_json;

Answer refuse(int status, const std::string& why) {
  return {status, ordered_json{{"error", why}}.dump() + "\n"};
}

}  // namespace

Answer want_checkpoint(ExecutorHost* executor) {
  if (executor == nullptr) return refuse(409, "this node plays no executor that keeps checkpoints");
  const auto committed = executor->executor().glance().committed;
  if (committed == BatchNumber())
    return refuse(409, "nothing has been written to this cluster yet");
  if (!executor->want_checkpoint()) {
    return refuse(409, "this node keeps nothing: start it with --durability sync");
  }
  return {200, ordered_json{{"committed", committed.value()}}.dump() + "\n"};
}

Answer show_batch(ExecutorHost* executor, std::string_view number) {
  uint64_t wanted = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), wanted);
  if (error != std::errc() || end != number.data() + number.size()) {
    return refuse(404, "no number of a batch");
  }
  const auto batch = executor != nullptr ? executor->committed(BatchNumber(wanted)) : std::nullopt;
  if (!batch) return refuse(404, "not known here, or not any more");
  const ordered_json shown = {{"number", batch->number.value()},
                              {"token", batch->token.hex()},
                              {"state_root", batch->state_root.hex()}};
  return {200, shown.dump() + "\n"};
}

}  // namespace eve::runtime
