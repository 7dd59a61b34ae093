// Why a verifier asks for the next view (V6 a to d): divergence, silence, suspicion. Observes the
// batch after the last committed one; says when it has been enough.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

#include "base/ids.h"
#include "base/quorum.h"
#include "verification/rounds.h"

namespace eve::verification {

inline constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();

/// `timeout_us`, doubled for each of the last views that stayed silent.
constexpr TimeUs doubled(TimeUs timeout_us, uint32_t silent_views) {
  constexpr uint32_t kMostDoublings = 10;
  return timeout_us << std::min(silent_views, kMostDoublings);
}

/// How long a view may take to start. That is up to verifiers and the network alone, not to how
/// long a batch runs: doubling may end sooner, and after a long outage nobody waits much longer
/// than the slowest network would need.
constexpr TimeUs until_started(TimeUs timeout_us, uint32_t silent_views) {
  constexpr uint32_t kMostDoublings = 6;
  return doubled(timeout_us, std::min(silent_views, kMostDoublings));
}

enum class Reason { kNone, kDivergence, kSilence, kSuspicion };

class Watch {
 public:
  Watch(const FaultModel& model, TimeUs divergence_delay_us, TimeUs progress_timeout_us)
      : model_(model),
        divergence_delay_us_(divergence_delay_us),
        progress_timeout_us_(progress_timeout_us) {}

  /// A new view: nobody is suspected, all clocks start again.
  void enter();
  /// Its start point is committed: executors may run its first batch.
  void started(TimeUs now) { started_at_ = now; }
  /// A suspicion stands until then, or the end of the view: who means it repeats it (E9, E10).
  void suspect(uint16_t executor, TimeUs until) { suspecting_[executor] = until; }
  const std::map<uint16_t, TimeUs>& suspecting() const { return suspecting_; }
  void observe(BatchNumber next, const TokenView& tokens, TimeUs now);

  /// `silent_views`, `diverged_views`: how many views in a row were left for that reason, and bore
  /// nothing.
  Reason due(TimeUs now, uint32_t silent_views, uint32_t diverged_views) const;
  TimeUs deadline(uint32_t silent_views, uint32_t diverged_views) const;

 private:
  TimeUs silence_at(uint32_t silent_views) const;
  TimeUs divergence_at(uint32_t diverged_views) const;

  FaultModel model_;
  TimeUs divergence_delay_us_;
  TimeUs progress_timeout_us_;
  std::map<uint16_t, TimeUs> suspecting_;
  BatchNumber next_;
  bool hopeless_ = false;
  std::optional<TimeUs> known_since_;
  std::optional<TimeUs> diverged_since_;
  TimeUs started_at_ = 0;
};

}  // namespace eve::verification
