#include "runtime/thread_pool.h"

#include <algorithm>

#include "base/check.h"
#include "runtime/spin.h"

namespace eve::runtime {
namespace {

/// A sleeping thread costs this much to wake (DESIGN 9): less work than that, the caller does
/// alone.
constexpr uint64_t kWakeWorthNs = 60'000;
/// Below this not even helpers that spin are worth the shared cache lines.
constexpr uint64_t kShareWorthNs = 4'000;
/// How long a helper spins after a job, while jobs come thick and fast.
constexpr int64_t kSpinNs = 5'000;
/// Chunks a worker should get, so that one slow chunk does not hold up the rest.
constexpr size_t kChunksPerWorker = 8;
constexpr size_t kMaxThreads = 1024;

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  EVE_CHECK(threads >= 1 && threads <= kMaxThreads, "a pool has 1 to 1024 threads");
  helpers_.reserve(threads - 1);
  for (size_t i = 1; i < threads; ++i) {
    helpers_.emplace_back([this, i] { help(i); });
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  signal_.fetch_add(1);
  signal_.notify_all();
  for (auto& helper : helpers_) helper.join();
}

void ThreadPool::run(size_t count, uint64_t grain_ns, const Task& task) {
  const auto total_ns = grain_ns * count;
  if (helpers_.empty() || count < 2 || total_ns < kShareWorthNs) {
    for (size_t i = 0; i < count; ++i) task(0, i);
    return;
  }
  open_gate(count, task);
  // The caller keeps one wake-up's worth for itself.
  wake(std::min({helpers_.size(), count - 1, static_cast<size_t>(total_ns / kWakeWorthNs)}));
  work(0);
  close_gate();
}

void ThreadPool::open_gate(size_t count, const Task& task) {
  task_ = &task;
  count_ = count;
  chunk_ = std::max<size_t>(1, count / (workers() * kChunksPerWorker));
  next_.store(0, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
  const auto epoch = epoch_of(gate_.load(std::memory_order_relaxed)) + uint64_t{1};
  gate_.store(epoch << 32 | kOpen);
}

void ThreadPool::wake(size_t wanted) {
  const auto sleeping = sleeping_.load();
  const auto awake = helpers_.size() - std::min<size_t>(sleeping, helpers_.size());
  if (wanted <= awake) return;
  signal_.fetch_add(1);
  for (size_t i = awake; i < wanted; ++i) signal_.notify_one();
  wakeups_ += wanted - awake;
}

void ThreadPool::close_gate() {
  const auto gate = gate_.load(std::memory_order_relaxed);
  const auto closed = gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  const auto joined = static_cast<uint32_t>(closed & kJoined);
  EVE_CHECK(epoch_of(gate) == epoch_of(closed), "one job at a time");
  while (true) {
    const auto left = left_.load(std::memory_order_acquire);
    if (left == joined) return;
    // The standard library spins before it sleeps here.
    left_.wait(left, std::memory_order_acquire);
  }
}

bool ThreadPool::join(uint32_t& last_epoch) {
  auto gate = gate_.load(std::memory_order_relaxed);
  while ((gate & kOpen) != 0 && epoch_of(gate) != last_epoch) {
    if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      last_epoch = epoch_of(gate);
      return true;
    }
  }
  return false;
}

void ThreadPool::work(size_t worker) {
  while (true) {
    const auto begin = next_.fetch_add(chunk_, std::memory_order_relaxed);
    if (begin >= count_) return;
    const auto end = std::min(begin + chunk_, count_);
    for (size_t i = begin; i < end; ++i) (*task_)(worker, i);
  }
}

void ThreadPool::help(size_t worker) {
  HotSpin spin(kSpinNs);
  uint32_t last_epoch = 0;
  while (!stop_.load()) {
    const auto signal = signal_.load();
    if (!join(last_epoch) && !spin.wait([&] { return join(last_epoch); })) {
      sleeping_.fetch_add(1);
      signal_.wait(signal);
      sleeping_.fetch_sub(1);
      spin.warm();
      continue;
    }
    work(worker);
    left_.fetch_add(1, std::memory_order_release);
    left_.notify_one();
  }
}

}  // namespace eve::runtime
