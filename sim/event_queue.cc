#include "sim/event_queue.h"

#include <algorithm>
#include <utility>

namespace eve::sim {

void EventQueue::at(TimeUs when, Action action) {
  heap_.push_back({std::max(when, now_), scheduled_++, std::move(action)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void EventQueue::run_until(TimeUs until, const std::function<bool()>& done) {
  while (!heap_.empty() && heap_.front().when <= until) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry next = std::move(heap_.back());
    heap_.pop_back();
    now_ = next.when;
    ++executed_;
    next.action();
    if (done()) return;
  }
  now_ = std::max(now_, until);
}

}  // namespace eve::sim
