#include "runtime/event_loop.h"

#include <algorithm>
#include <chrono>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

/// The longest sleep: a bound on how late a step of the machine's clock is noticed.
constexpr TimeUs kMaxSleepUs = 500'000;

}  // namespace

void EventLoop::run() {
  auto work = asio::make_work_guard(context_);
  while (!stop_.load()) turn();
}

void EventLoop::stop() {
  stop_.store(true);
  asio::post(context_, [] {});
}

void EventLoop::post(std::function<void()> function) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(function));
  }
  if (first) asio::post(context_, [this] { run_posted(); });
}

void EventLoop::run_posted() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (auto& function : running_) function();
  running_.clear();
}

void EventLoop::turn() {
  wait_for_work();
  // Not poll(): under load it would never return, and nothing would be flushed.
  for (size_t i = 0; i < host_limits::kHandlersPerTurn && context_.poll_one() != 0; ++i) {
  }
  stale_ = true;
  for (auto* member : members_) {
    if (member->deadline() <= now()) member->tick(now());
  }
  settle();
  for (auto* member : members_) member->flush();
}

void EventLoop::wait_for_work() {
  auto due = kNever;
  for (const auto* member : members_) due = std::min(due, member->deadline());
  const auto sleep = std::clamp<TimeUs>(due - now(), 0, kMaxSleepUs);
  stale_ = true;
  if (!unsettled_ && sleep > 0) context_.run_one_for(std::chrono::microseconds(sleep));
}

void EventLoop::settle() {
  unsettled_ = true;
  for (size_t round = 0; unsettled_ && round < host_limits::kRoundsPerTurn; ++round) {
    unsettled_ = false;
    for (auto* member : members_) unsettled_ = member->idle(now()) || unsettled_;
  }
}

}  // namespace eve::runtime
