// Looks at a role's journal now and then: whether its disk is low, which its host says to others,
// and whether it keeps up, without which its executor does not lead (ADR 0015).
#pragma once

#include "durability/disk_pace.h"
#include "runtime/journal_thread.h"

namespace eve::runtime {

/// The loop's thread only.
class DiskWatch {
 public:
  /// A low disk is spoken of so often.
  static constexpr TimeUs kSayUs = 1'000'000;

  /// Due to be looked at.
  TimeUs due() const { return look_at_us_; }
  /// Whether it was due.
  bool look(const JournalStatus& journal, TimeUs now) {
    if (now < look_at_us_) return false;
    look_at_us_ = now + durability::DiskPace::kLookUs;
    const bool was_low = low_;
    low_ =
        !journal.broken && (journal.space != journal::Space::kEnough || !journal.trouble.empty());
    pace_.look(now, journal.broken ? 0 : journal.oldest_wait_us);
    if (low_ != was_low) say_at_us_ = now;
    return true;
  }
  /// Less room than work in progress may need, or the disk refuses.
  bool low() const { return low_; }
  bool keeps_up() const { return pace_.keeps_up(); }
  /// Whether others should hear of it now: when it has changed, and once in a while.
  bool time_to_say(TimeUs now) {
    if (now < say_at_us_) return false;
    say_at_us_ = now + kSayUs;
    return true;
  }

 private:
  TimeUs look_at_us_ = 0;
  TimeUs say_at_us_ = 0;
  bool low_ = false;
  durability::DiskPace pace_;
};

}  // namespace eve::runtime
