#include "durability/checkpoint_policy.h"

#include <algorithm>

namespace eve::durability {

bool CheckpointTimer::due(uint64_t log_bytes, uint64_t state_bytes, TimeUs now) const {
  return may_be_due(log_bytes, now) &&
         static_cast<double>(log_bytes) >= policy_.log_per_state * static_cast<double>(state_bytes);
}

void CheckpointTimer::failed(TimeUs now) {
  retry_us_ = retry_us_ == 0 ? policy_.retry_us : std::min(2 * retry_us_, policy_.most_retry_us);
  not_before_ = now + retry_us_;
}

void CheckpointTimer::succeeded() {
  retry_us_ = 0;
  not_before_ = 0;
}

void CheckpointPace::stepped(TimeUs start, TimeUs end, uint64_t bytes) {
  constexpr uint64_t kSecond = 1'000'000;
  const auto took = static_cast<uint64_t>(std::max<TimeUs>(end - start, 0));
  const uint64_t for_time = took * 100 / std::max(rate_.percent_of_time, 1u);
  const uint64_t for_bytes = bytes * kSecond / std::max<uint64_t>(rate_.bytes_per_second, 1);
  next_ = std::max(end, start + static_cast<TimeUs>(std::max(for_time, for_bytes) / haste_));
}

}  // namespace eve::durability
