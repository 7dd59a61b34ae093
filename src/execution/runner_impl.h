// The inside of the Runner, which several files share: runner.cc runs batches and fetches state,
// runner_recover.cc applies what an earlier process has run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "execution/history.h"
#include "execution/request_runner.h"
#include "execution/runner.h"
#include "execution/sessions.h"
#include "execution/transfer.h"
#include "state/engine.h"

namespace eve::execution {

struct Runner::Impl {
  using Emit = std::function<void(Event)>;

  Impl(const crypto::Digester& digester_in, Scheduler& scheduler_in,
       const MakeService& make_service, std::function<TimeUs()> clock_in);

  void run(const RunBatch& command, const Emit& emit);
  void run(const CommitBatches& command, const Emit& emit);
  void run(const RollbackTo& command, const Emit& emit);
  void run(const EnterView& command, const Emit& emit) { emit(ViewEntered{command.view}); }
  void run(const ServeState& command, const Emit& emit);
  void run(const StartFetch& command, const Emit& emit);
  void run(const SupplyFetch& command, const Emit& emit);
  void run(const EndEpoch& command, const Emit& emit);
  void run(const BeginEpoch& command, const Emit& emit);
  Fetched resume();

  void judge(const wire::Batch& batch, const wire::Names& quarantine);
  std::vector<BundleReply> answer(const wire::Batch& batch);
  CachedReply gather(size_t first, size_t count);
  History::Entry seal(const wire::Batch& batch, const std::vector<BundleReply>& replies);
  void return_to(BatchNumber number);
  void go_on_fetching(uint32_t refused, const Emit& emit);

  const crypto::Digester& digester;
  Scheduler& scheduler;
  std::function<TimeUs()> clock;
  state::Engine engine;
  State state;
  State own_state;
  Sessions sessions;  // its tables come before the service's
  std::unique_ptr<Service> service;
  RequestRunner requests;
  crypto::Digest empty_root;
  History history;
  std::optional<StateFetch> fetch;

  // Of the batch at hand; kept for their memory.
  std::vector<Sessions::Judgement> judgements;
  std::vector<ByteView> running;  ///< the requests to execute, in batch order
  uint32_t quarantined = 0;       ///< requests
  Bytes digests;
};

/// For what the engine itself reads and writes: outside of any request, and never switched away.
inline Context engine_context(BatchNumber number) {
  return Context({number.value(), 0, 0, 0}, 0, nullptr);
}

}  // namespace eve::execution
