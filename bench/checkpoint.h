// What the parts of `eve bench checkpoint` share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/report.h"
#include "durability/checkpoint_taker.h"

namespace eve::bench {

/// As nodes cut them.
inline const size_t kCheckpointChunkBytes = durability::CheckpointOptions().chunk_bytes;

/// Bytes of an incremental checkpoint against those of a whole one.
void add_increment_rows(uint64_t objects, Report& report);

}  // namespace eve::bench
