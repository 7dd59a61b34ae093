// Runs the requests of one batch (rules R2 and R3): mixes them, hands the parallelBatches to the
// workers one after the other, and starts over in batch order if one throws.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/scheduler.h"
#include "eve/service.h"
#include "execution/commands.h"
#include "execution/grain.h"
#include "execution/reply_store.h"
#include "mixer/mixer.h"
#include "state/engine.h"

namespace eve::execution {

/// One thread at a time; everything given must outlive it. `clock` may be called by any worker.
class RequestRunner {
 public:
  RequestRunner(state::Engine& engine, Scheduler& scheduler, Service& service,
                std::function<TimeUs()> clock);

  /// Runs `requests`, which belong to `batch`, in the engine's open batch, and leaves it open with
  /// exactly their effects. Returns the number of parallelBatches.
  size_t run(const wire::Batch& batch, RunMode mode, const std::vector<ByteView>& requests);

  /// The reply to a request of the last run; valid until the next.
  ByteView reply(size_t request) const { return replies_.at(request); }
  /// Requests of the last run that threw, and what the first of them said.
  uint32_t failed() const { return failed_; }
  const Bytes& failure() const { return failure_; }

 private:
  const mixer::MixedBatch& mix();
  bool run_mixed(const mixer::MixedBatch& mixed);
  void run_parallel(const uint32_t* order, size_t count);
  void run_range(size_t worker, const uint32_t* order, size_t count);
  void run_in_order();
  bool execute(size_t worker, size_t request, Bytes& reply, Bytes* failure = nullptr);

  struct alignas(64) Busy {
    TimeUs us = 0;
  };

  state::Engine& engine_;
  Scheduler& scheduler_;
  Service& service_;
  std::function<TimeUs()> clock_;
  mixer::Mixer mixer_;
  Footprint footprint_;
  ReplyStore replies_;
  Grain grain_;
  std::vector<Busy> busy_;  ///< for each worker, in the tasks of this run
  Context::Origin origin_;  ///< of the batch's requests, but for the index
  const std::vector<ByteView>* requests_ = nullptr;
  std::atomic<bool> start_over_ = false;
  uint32_t failed_ = 0;
  Bytes failure_;
};

}  // namespace eve::execution
