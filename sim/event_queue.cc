#include "sim/event_queue.h"

#include <algorithm>
#include <utility>

namespace eve::sim {

void EventQueue::at(TimeUs when, Action action) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(actions_.size()));
    actions_.emplace_back();
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  actions_[place] = std::move(action);
  heap_.push_back({std::max(when, now_), scheduled_++, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void EventQueue::run_until(TimeUs until, const std::function<bool()>& done) {
  while (!heap_.empty() && heap_.front().when <= until) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry next = heap_.back();
    heap_.pop_back();
    now_ = next.when;
    ++executed_;
    const Action action = std::exchange(actions_[next.action], nullptr);
    free_.push_back(next.action);
    action();
    if (done()) return;
  }
  now_ = std::max(now_, until);
}

}  // namespace eve::sim
