// The host's time.
#pragma once

#include <time.h>

#include <algorithm>

#include "base/ids.h"

namespace eve::runtime {

/// Microseconds since 1970 that never go backwards. When the machine's clock is set back, this one
/// goes on at half speed until it is caught up with, so that timeouts still run out. One thread.
class Clock {
 public:
  Clock() : Clock(read(CLOCK_REALTIME), read(CLOCK_MONOTONIC)) {}
  /// A clock that at() alone moves on.
  Clock(TimeUs machine, TimeUs steady) : last_(machine), last_half_(steady / 2) {}

  TimeUs now() { return at(read(CLOCK_REALTIME), read(CLOCK_MONOTONIC)); }

  /// The time when the machine's clock says `machine` and `steady` is what never goes backwards.
  /// Halves are taken of the readings, not of what lies between them: an odd microsecond lost at
  /// every reading would make a busy loop's clock crawl, or stand.
  TimeUs at(TimeUs machine, TimeUs steady) {
    const auto half = steady / 2;
    last_ = std::max(machine, last_ + half - last_half_);
    last_half_ = half;
    return last_;
  }

 private:
  static TimeUs read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * TimeUs{1'000'000} + time.tv_nsec / 1'000;
  }

  TimeUs last_;
  TimeUs last_half_;
};

}  // namespace eve::runtime
