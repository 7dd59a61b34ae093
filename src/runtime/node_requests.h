// What the status port does beside telling: POST /checkpoint and GET /batch/NUMBER, for backups.
#pragma once

#include <string>
#include <string_view>

#include "runtime/executor_host.h"
#include "runtime/pair_host.h"

namespace eve::runtime {

/// As HTTP has it; the body is JSON.
struct Answer {
  int status = 200;
  std::string body;
};

/// Wants a checkpoint: {"committed": N}, which it will not be older than; `executor.checkpoints` of
/// the status tells when there is one. An error (409) says why there cannot be one. `executor` or
/// `pair`: null if the node plays none, or one of the other kind. On the loop's thread.
Answer want_checkpoint(ExecutorHost* executor, PairHost* pair);
/// {"number","token","state_root"} of an agreed batch of the last while, or 404.
Answer show_batch(ExecutorHost* executor, PairHost* pair, std::string_view number);

}  // namespace eve::runtime
