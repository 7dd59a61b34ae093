// Virtual time: what happens when, one thing after the other. Things of the same instant happen in
// the order they were scheduled, so that a run is a function of its seed.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"

namespace eve::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  /// Microseconds since the run began.
  TimeUs now() const { return now_; }
  /// Times past mean now.
  void at(TimeUs when, Action action);
  void after(TimeUs delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Runs everything up to and including `until`, or until `done` says so after an action; then the
  /// time is `until`, or the action's.
  void run_until(TimeUs until, const std::function<bool()>& done);

  uint64_t executed() const { return executed_; }

 private:
  /// What the heap sorts is small; actions stay where they are.
  struct Entry {
    TimeUs when;
    uint64_t order;
    uint32_t action;  ///< place in actions_
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  std::vector<Entry> heap_;
  std::vector<Action> actions_;
  std::vector<uint32_t> free_;  ///< places in actions_ that are empty
  TimeUs now_ = 0;
  uint64_t scheduled_ = 0;
  uint64_t executed_ = 0;
};

}  // namespace eve::sim
