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
  TimeUs now() {
    const auto steady = read(CLOCK_MONOTONIC);
    last_ = std::max(read(CLOCK_REALTIME), last_ + (steady - last_steady_) / 2);
    last_steady_ = steady;
    return last_;
  }

 private:
  static TimeUs read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * TimeUs{1'000'000} + time.tv_nsec / 1'000;
  }

  TimeUs last_steady_ = read(CLOCK_MONOTONIC);
  TimeUs last_ = read(CLOCK_REALTIME);
};

}  // namespace eve::runtime
