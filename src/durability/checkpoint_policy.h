// When a checkpoint is taken, and how fast: decisions without a disk, a clock or a thread.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace eve::durability {

/// A checkpoint is due when the log beyond the last one is longer than the state, or than
/// `least_log_bytes`. So checkpoints write at most as much as the log does (1 / `log_per_state`
/// times as much), and recovery reads at most a state and as much log again.
struct CheckpointPolicy {
  uint64_t least_log_bytes = uint64_t{64} << 20;
  double log_per_state = 1;
  /// After a failed attempt, the first time; then twice as long each time, up to the most.
  TimeUs retry_us = 10'000'000;
  TimeUs most_retry_us = 600'000'000;
};

class CheckpointTimer {
 public:
  explicit CheckpointTimer(const CheckpointPolicy& policy) : policy_(policy) {}

  /// `log_bytes`: beyond the newest checkpoint. Cheap: for asking whether the state's size need be
  /// looked at.
  bool may_be_due(uint64_t log_bytes, TimeUs now) const {
    return log_bytes >= policy_.least_log_bytes && now >= not_before_;
  }
  bool due(uint64_t log_bytes, uint64_t state_bytes, TimeUs now) const;

  void failed(TimeUs now);
  void succeeded();

 private:
  CheckpointPolicy policy_;
  TimeUs not_before_ = 0;
  TimeUs retry_us_ = 0;  ///< after the last failure; 0: none
};

/// How much of the executing thread, and of the disk, a checkpoint may take.
struct CheckpointRate {
  uint64_t bytes_per_second = uint64_t{64} << 20;
  /// Less makes it more likely that the version has to be given up for a newer one on the way.
  uint32_t percent_of_time = 25;
};

/// Spaces steps so that neither rate is exceeded: nothing is saved up while nobody asks, so after a
/// long batch there is one step, not many.
class CheckpointPace {
 public:
  explicit CheckpointPace(const CheckpointRate& rate) : rate_(rate) {}

  TimeUs next() const { return next_; }
  bool may_step(TimeUs now) const { return now >= next_; }
  /// A step began at `start` and took until `end` to cut `bytes`.
  void stepped(TimeUs start, TimeUs end, uint64_t bytes);

  /// A new checkpoint: at the rate that was asked for.
  void begin() { haste_ = 1; }
  /// What was cut is out of date in part: twice as fast from now on, eight times at most, or a
  /// state that changes fast is never whole.
  void hurry() { haste_ = haste_ < kMostHaste ? 2 * haste_ : haste_; }

 private:
  static constexpr uint64_t kMostHaste = 8;

  CheckpointRate rate_;
  uint64_t haste_ = 1;
  TimeUs next_ = 0;
};

}  // namespace eve::durability
