#include "runtime/node_requests.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

using nlohmann::ordered_json;

Answer refuse(int status, const std::string& why) {
  return {status, ordered_json{{"error", why}}.dump() + "\n"};
}

template <typename Host>
Answer checkpoint_of(Host& host, BatchNumber committed) {
  if (committed == BatchNumber())
    return refuse(409, "nothing has been written to this cluster yet");
  if (!host.want_checkpoint()) {
    return refuse(409, "this node keeps nothing: start it with --durability sync");
  }
  return {200, ordered_json{{"committed", committed.value()}}.dump() + "\n"};
}

}  // namespace

Answer want_checkpoint(ExecutorHost* executor, PairHost* pair) {
  if (executor != nullptr) return checkpoint_of(*executor, executor->status().committed);
  if (pair != nullptr) return checkpoint_of(*pair, pair->replica().glance().committed);
  return refuse(409, "this node plays no executor that keeps checkpoints");
}

Answer show_batch(ExecutorHost* executor, PairHost* pair, std::string_view number) {
  uint64_t wanted = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), wanted);
  if (error != std::errc() || end != number.data() + number.size()) {
    return refuse(404, "no number of a batch");
  }
  std::optional<execution::Executor::Committed> batch;
  if (executor != nullptr) batch = executor->committed(BatchNumber(wanted));
  if (pair != nullptr) batch = pair->committed(BatchNumber(wanted));
  if (!batch) return refuse(404, "not known here, or not any more");
  const ordered_json shown = {{"number", batch->number.value()},
                              {"token", batch->token.hex()},
                              {"state_root", batch->state_root.hex()}};
  return {200, shown.dump() + "\n"};
}

}  // namespace eve::runtime
