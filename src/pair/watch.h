// Whether the other replica is there, and whether this one has been (P9). Measures silence in time
// during which this replica was awake: who was away itself begins to listen anew, and, where only
// time tells who may lead, is in doubt until the other has answered.
#pragma once

#include <algorithm>
#include <optional>

#include "base/ids.h"

namespace eve::pair {

class Watch {
 public:
  /// Parts of the silence: beats leave that often; who is later than that was away.
  static constexpr TimeUs kBeats = 10;
  static constexpr TimeUs kAway = 4;

  explicit Watch(TimeUs silence_us) : silence_us_(silence_us) {}

  void start(TimeUs now) { beat_at_ = heard_at_ = now; }
  /// First in every step. True if this replica was away until now.
  bool wake(TimeUs now) {
    if (now - beat_at_ <= silence_us_ / kAway) return false;
    heard_at_ = beat_at_ = now;
    return true;
  }
  void heard(TimeUs now) { heard_at_ = now; }
  bool silent(TimeUs now) const { return now - heard_at_ >= silence_us_; }

  bool beat_due(TimeUs now) const { return now >= next_beat(); }
  TimeUs next_beat() const { return beat_at_ + std::max<TimeUs>(silence_us_ / kBeats, 1); }
  void beat(TimeUs now) { beat_at_ = now; }

  void doubt(TimeUs now) { doubt_since_ = now; }
  /// The record says by itself who may lead.
  void end_doubt() { doubt_since_.reset(); }
  bool in_doubt() const { return doubt_since_.has_value(); }
  /// The other one answers a beat of `echo`.
  void answered(TimeUs echo) {
    if (doubt_since_ && echo >= *doubt_since_) doubt_since_.reset();
  }

 private:
  TimeUs silence_us_;
  TimeUs beat_at_ = 0;
  TimeUs heard_at_ = 0;
  std::optional<TimeUs> doubt_since_;
};

}  // namespace eve::pair
