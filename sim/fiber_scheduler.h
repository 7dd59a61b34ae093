// The simulator's threads: the requests of a batch run as fibers that switch at accesses to state,
// as a seed says. A race that the seed plants happens again whenever the seed runs.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/scheduler.h"
#include "sim/fiber.h"

namespace eve::sim {

/// Several schedulers may share `fibers`, one running at a time. Not thread-safe.
class FiberScheduler final : public Scheduler, private AccessHook {
 public:
  /// Switches at one access in `switch_every` on average; 0: never. `fibers` outlives this.
  FiberScheduler(Fibers& fibers, uint64_t seed, uint64_t switch_every);

  size_t workers() const override { return fibers_.count(); }
  void run(size_t count, uint64_t grain_ns,
           const std::function<void(size_t worker, size_t index)>& task) override;
  AccessHook* hook() override { return this; }

  uint64_t accesses() const { return accesses_; }
  uint64_t switches() const { return switches_; }

 private:
  void on_access() override;
  /// Who of those that can go on does.
  size_t pick() { return random_.below(runnable_); }

  Fibers& fibers_;
  Random random_;
  uint64_t switch_every_;
  size_t runnable_ = 0;  ///< requests that have begun or could
  uint64_t accesses_ = 0;
  uint64_t switches_ = 0;
};

}  // namespace eve::sim
