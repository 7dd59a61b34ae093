// A node's clock: wrong by an offset, drifting, stepped now and then. What the node reads of it is
// what runtime/clock.h makes of such a clock: it never goes backwards, and goes at half speed until
// a step back is caught up with.
#pragma once

#include <algorithm>

#include "base/ids.h"

namespace eve::sim {

class NodeClock {
 public:
  explicit NodeClock(TimeUs offset) : offset_(offset) {}

  /// `at`: virtual time, which does not go backwards.
  TimeUs read(TimeUs at) {
    const TimeUs wall =
        at + offset_ + at / kMillion * drift_ppm_ + at % kMillion * drift_ppm_ / kMillion;
    const TimeUs half = (at - last_at_) / 2;
    if (wall >= last_ + half) {
      last_ = wall;
      last_at_ = at;
    } else {
      last_ += half;
      last_at_ += 2 * half;  // an odd microsecond counts the next time
    }
    return last_;
  }
  void step(TimeUs by) { offset_ += by; }
  /// From now on it gains so many microseconds a second. The reading does not jump.
  void drift(TimeUs at, int64_t ppm) {
    offset_ += (drift_ppm_ - ppm) * at / kMillion;
    drift_ppm_ = ppm;
  }

 private:
  static constexpr int64_t kMillion = 1'000'000;

  TimeUs offset_;
  int64_t drift_ppm_ = 0;
  TimeUs last_ = 0;
  TimeUs last_at_ = 0;
};

}  // namespace eve::sim
