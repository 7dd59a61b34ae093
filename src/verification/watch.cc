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
  if (next != next_) {
    next_ = next;
    known_since_.reset();
    diverged_since_.reset();
  }
  hopeless_ = tokens.hopeless;
  if (tokens.known && !known_since_) known_since_ = now;
  if (tokens.diverged && !diverged_since_) diverged_since_ = now;
}

TimeUs Watch::silence_at(uint32_t silent_views) const {
  return known_since_ ? *known_since_ + doubled(progress_timeout_us_, silent_views) : kNever;
}

TimeUs Watch::divergence_at(uint32_t silent_views) const {
  return diverged_since_ ? *diverged_since_ + doubled(divergence_delay_us_, silent_views) : kNever;
}

Reason Watch::due(TimeUs now, uint32_t silent_views) const {
  if (hopeless_ || now >= divergence_at(silent_views)) return Reason::kDivergence;
  if (suspecting_.size() >= model_.suspicion()) return Reason::kSuspicion;
  if (now >= silence_at(silent_views)) return Reason::kSilence;
  return Reason::kNone;
}

TimeUs Watch::deadline(uint32_t silent_views) const {
  return std::min(divergence_at(silent_views), silence_at(silent_views));
}

}  // namespace eve::verification
