// Real threads for Eve's Scheduler: the execution stage's workers.
//
// The caller of run() is worker 0 and does its share; helpers join through a gate:
//
//   closed --run()--> open --helpers count themselves in--> open --run()'s end--> closed
//
// run() publishes the job, opens the gate, works until no index is left, closes the gate, which
// tells it how many had joined, and waits for these to leave. A helper that comes late finds the
// gate closed and touches nothing, so the job may live on the caller's stack.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/scheduler.h"

namespace eve::runtime {

/// Thread safety: run() from one thread at a time. Tasks do not throw and do not call run().
class ThreadPool final : public Scheduler {
 public:
  /// `threads` >= 1, the caller of run() included.
  explicit ThreadPool(size_t threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t workers() const override { return helpers_.size() + 1; }
  void run(size_t count, uint64_t grain_ns,
           const std::function<void(size_t worker, size_t index)>& task) override;

  /// How many sleeping threads were woken; for measurements.
  uint64_t wakeups() const { return wakeups_; }

 private:
  using Task = std::function<void(size_t worker, size_t index)>;

  void help(size_t worker);
  /// Counts this helper in; false when the gate is closed or the job is one it has already left.
  bool join(uint32_t& last_epoch);
  void work(size_t worker);
  void open_gate(size_t count, const Task& task);
  void wake(size_t wanted);
  void close_gate();

  // The gate: epoch (32 bits), open (1 bit), helpers that joined (16 bits).
  static constexpr uint64_t kOpen = uint64_t{1} << 16;
  static constexpr uint64_t kJoined = kOpen - 1;
  static uint32_t epoch_of(uint64_t gate) { return static_cast<uint32_t>(gate >> 32); }

  // The job: written while the gate is closed, read by those who have joined.
  const Task* task_ = nullptr;
  size_t count_ = 0;
  size_t chunk_ = 1;

  alignas(64) std::atomic<uint64_t> gate_{0};
  alignas(64) std::atomic<size_t> next_{0};
  alignas(64) std::atomic<uint32_t> left_{0};
  alignas(64) std::atomic<uint32_t> signal_{0};  ///< helpers sleep on it
  std::atomic<uint32_t> sleeping_{0};
  std::atomic<bool> stop_{false};
  uint64_t wakeups_ = 0;
  std::vector<std::thread> helpers_;
};

}  // namespace eve::runtime
