#include "sim/fiber_scheduler.h"

#include <algorithm>
#include <vector>

namespace eve::sim {

FiberScheduler::FiberScheduler(Fibers& fibers, uint64_t seed, uint64_t switch_every)
    : fibers_(fibers), random_(seed), switch_every_(switch_every) {}

void FiberScheduler::run(size_t count, uint64_t /*grain_ns*/,
                         const std::function<void(size_t, size_t)>& task) {
  const size_t used = std::min(count, workers());
  size_t next = 0;
  if (used == 1) {
    runnable_ = 1;
    pick();
    while (next < count) task(0, next++);
    runnable_ = 0;
    return;
  }
  std::vector<std::function<void()>> bodies;
  bodies.reserve(used);
  for (size_t worker = 0; worker < used; ++worker) {
    bodies.emplace_back([worker, count, &next, &task] {
      while (next < count) task(worker, next++);
    });
    fibers_.assign(worker, &bodies.back());
  }
  std::vector<size_t> runnable;
  for (size_t worker = 0; worker < used; ++worker) runnable.push_back(worker);
  for (runnable_ = used; runnable_ > 0; runnable_ = runnable.size()) {
    const size_t picked = pick();
    const size_t worker = runnable[picked];
    fibers_.resume(worker);
    if (!fibers_.busy(worker)) runnable.erase(runnable.begin() + static_cast<ptrdiff_t>(picked));
  }
}

void FiberScheduler::on_access() {
  ++accesses_;
  if (switch_every_ == 0 || random_.below(switch_every_) != 0) return;
  if (runnable_ == 1) {
    pick();  // the only one goes on
    return;
  }
  ++switches_;
  fibers_.leave();
}

}  // namespace eve::sim
