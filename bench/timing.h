// What the benchmarks of single structures measure with: CPU time beside wall time, and threads
// that start together.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace eve::bench {

/// Nanoseconds. Of several threads: CPU time is summed; wall time is that of the slowest.
struct Cost {
  double cpu = 0;
  double wall = 0;
  Cost& operator+=(const Cost& other) {
    cpu += other.cpu;
    wall += other.wall;
    return *this;
  }
};

/// Whose CPU time counts.
enum class Who { kThisThread, kProcess };

/// Runs from its construction on.
class Stopwatch {
 public:
  explicit Stopwatch(Who who = Who::kThisThread);
  Cost elapsed() const;

 private:
  int cpu_clock_;
  double cpu_;
  double wall_;
};

/// One cost an operation, repeated: what rows are made of.
struct Series {
  std::vector<double> cpu;
  std::vector<double> wall;
  /// `scale` 1e-3 for microseconds.
  void add(const Cost& cost, size_t operations, double scale = 1) {
    cpu.push_back(cost.cpu * scale / static_cast<double>(operations));
    wall.push_back(cost.wall * scale / static_cast<double>(operations));
  }
};

/// Runs all contenders, number `turn` (modulo their number) first and the others after it, round
/// in a circle: so none always goes first, when caches and the machine's mood are what they are.
void in_turn(size_t turn, const std::vector<std::function<void()>>& contenders);

/// Keeps the compiler from leaving out what computes `value`.
template <typename T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// A fixed number of threads, the caller being number 0. Threads wait for work in the kernel: what
/// one does alone in between is not disturbed by the others.
class Crew {
 public:
  explicit Crew(size_t threads);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  size_t size() const { return helpers_.size() + 1; }
  /// Runs body(thread) on every thread, all starting together, and returns when all have ended:
  /// what it cost, threads waiting for each other left out.
  Cost run(const std::function<void(size_t)>& body);

 private:
  void help(size_t thread);
  void work(size_t thread);

  const std::function<void(size_t)>* body_ = nullptr;
  std::atomic<uint32_t> round_{0};
  std::atomic<size_t> ready_{0};
  std::atomic<size_t> done_{0};
  std::atomic<bool> stop_{false};
  std::vector<Cost> costs_;
  std::vector<std::thread> helpers_;
};

}  // namespace eve::bench
