#include "mixer/level_table.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"

namespace eve::mixer {

void LevelTable::start(size_t keys, size_t levels) {
  constexpr size_t kSmallest = 256;
  constexpr size_t kStamps = std::numeric_limits<uint32_t>::max();
  EVE_CHECK(levels + 2 < kStamps / 2, "more levels than stamps");
  const size_t size = std::max(kSmallest, std::bit_ceil(2 * keys));
  base_ = used_;
  if (slots_.size() < size || kStamps - base_ <= levels + 2) {
    slots_.assign(std::max(size, slots_.size()), Slot{});
    base_ = 0;
  }
  mask_ = size - 1;
  used_ = base_ + static_cast<uint32_t>(levels) + 2;
}

}  // namespace eve::mixer
