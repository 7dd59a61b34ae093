// Whether a disk keeps up with what its executor leads (E13): the same rule in runtime and
// simulator.
#pragma once

#include "base/ids.h"

namespace eve::durability {

/// What waits for a disk that is slow, full or failing waits in vain. An executor whose notes wait
/// for so long does not lead; and for a while after, as a disk that stalls stalls again.
class DiskPace {
 public:
  /// A few times what a busy disk takes for a sync, less than the patience of others (E8).
  static constexpr TimeUs kStalledUs = 250'000;
  static constexpr TimeUs kDistrustUs = 2'000'000;
  /// To be looked at so often while something waits.
  static constexpr TimeUs kLookUs = 50'000;

  /// `oldest_wait_us`: of the notes that wait now; 0: none does. Returns whether it keeps up.
  bool look(TimeUs now, TimeUs oldest_wait_us) {
    if (oldest_wait_us >= kStalledUs) {
      slow_ = true;
      trusted_at_ = now + kDistrustUs;
    } else if (now >= trusted_at_) {
      slow_ = false;
    }
    return !slow_;
  }
  bool keeps_up() const { return !slow_; }

 private:
  bool slow_ = false;
  TimeUs trusted_at_ = 0;
};

}  // namespace eve::durability
