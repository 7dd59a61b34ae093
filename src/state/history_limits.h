// How much of the past an engine keeps beside the newest version.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace eve::state {

/// Memory that committed batches may keep beside the newest version, whatever their number: without
/// it the history of large batches could outgrow the state.
inline constexpr size_t kHistoryBytes = size_t{256} << 20;

/// Batches count from the newest committed one back; bytes are of all the history there is.
struct HistoryLimits {
  uint64_t batches = limits::kHistoryBatches;
  size_t bytes = kHistoryBytes;
  /// With a pin (pin.h): beyond either, the reader is moved on. Batches: less than 2^15, here and
  /// above.
  uint64_t pinned_batches = 16 * limits::kHistoryBatches;
  size_t pinned_bytes = 4 * kHistoryBytes;
};

}  // namespace eve::state
