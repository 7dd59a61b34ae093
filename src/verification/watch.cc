#include "verification/watch.h"

#include <algorithm>

namespace eve::verification {

void Watch::enter() {
  suspecting_.clear();
  next_ = BatchNumber(0);
  hopeless_ = false;
  known_since_.reset();
  diverged_since_.reset();
}

void Watch::observe(BatchNumber next, const TokenView& tokens, TimeUs now) {
  std::erase_if(suspecting_, [now](const auto& suspicion) { return suspicion.second <= now; });
  if (next != next_) {
    next_ = next;
    known_since_.reset();
    diverged_since_.reset();
  }
  hopeless_ = tokens.hopeless;
  if (tokens.known && !known_since_) known_since_ = now;
  if (tokens.diverged && !diverged_since_) diverged_since_ = now;
}

// Where tokens differ, the wait for those that are missing is that of divergence.
TimeUs Watch::silence_at(uint32_t silent_views) const {
  if (!known_since_ || diverged_since_) return kNever;
  return *known_since_ + doubled(progress_timeout_us_, silent_views);
}

// Who is slower than others may take as long again as they did, but after that it is not awaited:
// a batch on which executors never agree must fail again and again before it is quarantined, and
// each time would cost this wait.
TimeUs Watch::divergence_at(uint32_t diverged_views) const {
  constexpr uint32_t kMostDoublings = 5;
  constexpr int64_t kTimesAsLong = 2;
  const TimeUs longest = doubled(progress_timeout_us_, kMostDoublings);
  if (!diverged_since_) return kNever;
  TimeUs patience = doubled(divergence_delay_us_, std::min(diverged_views, kMostDoublings));
  if (diverged_views > 0) {
    const TimeUs as_long = kTimesAsLong * (*diverged_since_ - started_at_);
    patience = std::max(patience, std::min(as_long, longest));
  }
  return *diverged_since_ + patience;
}

Reason Watch::due(TimeUs now, uint32_t silent_views, uint32_t diverged_views) const {
  if (hopeless_ || now >= divergence_at(diverged_views)) return Reason::kDivergence;
  if (suspecting_.size() >= model_.suspicion()) return Reason::kSuspicion;
  if (now >= silence_at(silent_views)) return Reason::kSilence;
  return Reason::kNone;
}

TimeUs Watch::deadline(uint32_t silent_views, uint32_t diverged_views) const {
  return std::min(divergence_at(diverged_views), silence_at(silent_views));
}

}  // namespace eve::verification
