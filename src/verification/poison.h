// Poisonous bundles: those on which executors cannot agree even when they run alone (V11, DESIGN
// 6.4). Each verifier counts the views that such a bundle made fail; what enough of them say in
// their VIEW-CHANGEs is quarantined in the view that comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/limits.h"
#include "base/quorum.h"
#include "wire/messages.h"

namespace eve::verification {

/// More bundles than these are in the way at one time only if clients mean harm; then each takes
/// its turn.
inline constexpr size_t kMaxCounted = 4 * limits::kMaxPoison;

/// One verifier's count of failed views, by bundle. Holds a few names; the one that was counted
/// least recently makes room. A count is never taken back: a bundle is either committed, and then
/// no batch holds it any more, or it is still in the way.
class PoisonCount {
 public:
  explicit PoisonCount(const FaultModel& model) : enough_(model.poisonous()) {}

  /// The first batch of a view was `bundle` alone, and its tokens differed until the view was left.
  /// Returns of how many views that has been true now.
  uint32_t failed(const wire::Digest& bundle);
  /// It was counted so often before. In the order of counting.
  void restore(const wire::Digest& bundle, uint32_t views);
  /// The bundles that made enough views fail, at most kMaxPoison: the most recently counted.
  wire::Names names() const;

 private:
  struct Entry {
    wire::Digest bundle;
    uint32_t views = 0;
  };
  uint32_t enough_;
  std::vector<Entry> entries_;  ///< most recently counted first
};

/// What a view that starts from these VIEW-CHANGEs quarantines: the bundles that r+1 of them name,
/// so at least one verifier that does not lie; at most kMaxQuarantine, those that most name first.
wire::Names quarantine(const std::vector<wire::ViewChange>& proof, const FaultModel& model);

}  // namespace eve::verification
