// The injected threads: the one place where Eve runs things side by side. runtime/ has threads,
// sim/ seeded cooperative switching, and InlineScheduler runs everything in order on the caller.
#pragma once

#include <cstddef>
#include <functional>

#include "eve/context.h"

namespace eve {

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// How many tasks may run at once; worker numbers are below it. At least 1, constant.
  virtual size_t workers() const = 0;

  /// Runs task(worker, index) once for every index in [0, count) and returns when all have ended.
  /// Two tasks that run at once have different workers. Tasks do not throw. `grain_ns` is the
  /// expected cost of one task: an implementation uses it to leave sleeping threads asleep when the
  /// caller would be done sooner alone.
  virtual void run(size_t count, uint64_t grain_ns,
                   const std::function<void(size_t worker, size_t index)>& task) = 0;

  /// What requests call before each access to state; null where nothing switches there.
  virtual AccessHook* hook() { return nullptr; }
};

/// Everything on the calling thread, in order.
class InlineScheduler final : public Scheduler {
 public:
  size_t workers() const override { return 1; }
  void run(size_t count, uint64_t /*grain_ns*/,
           const std::function<void(size_t, size_t)>& task) override {
    for (size_t i = 0; i < count; ++i) task(0, i);
  }
};

}  // namespace eve
