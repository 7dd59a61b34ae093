#include "bench/timing.h"

#include <time.h>

#include <algorithm>

namespace eve::bench {
namespace {

double now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace

Stopwatch::Stopwatch(Who who)
    : cpu_clock_(who == Who::kProcess ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID),
      cpu_(now_ns(cpu_clock_)),
      wall_(now_ns(CLOCK_MONOTONIC)) {}

Cost Stopwatch::elapsed() const {
  return {now_ns(cpu_clock_) - cpu_, now_ns(CLOCK_MONOTONIC) - wall_};
}

void in_turn(size_t turn, const std::vector<std::function<void()>>& contenders) {
  for (size_t i = 0; i < contenders.size(); ++i) contenders[(turn + i) % contenders.size()]();
}

Crew::Crew(size_t threads) : costs_(threads) {
  for (size_t thread = 1; thread < threads; ++thread) {
    helpers_.emplace_back([this, thread] { help(thread); });
  }
}

Crew::~Crew() {
  stop_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void Crew::help(size_t thread) {
  for (uint32_t seen = 0;; ++seen) {
    round_.wait(seen);
    if (stop_) return;
    work(thread);
    ++done_;
    done_.notify_one();
  }
}

/// Threads wake at different times: the first waits for the last, awake.
void Crew::work(size_t thread) {
  ++ready_;
  while (ready_ < size()) std::this_thread::yield();
  const Stopwatch watch;
  (*body_)(thread);
  costs_[thread] = watch.elapsed();
}

Cost Crew::run(const std::function<void(size_t)>& body) {
  body_ = &body;
  ready_ = 0;
  done_ = 0;
  ++round_;
  round_.notify_all();
  work(0);
  for (size_t done = done_; done < helpers_.size(); done = done_) done_.wait(done);
  Cost all;
  for (const Cost& cost : costs_) {
    all.cpu += cost.cpu;
    all.wall = std::max(all.wall, cost.wall);
  }
  return all;
}

}  // namespace eve::bench
