#include "eve/footprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace eve {

void Footprint::add(ByteView key, bool write) {
  keys_.push_back(Key{XXH3_64bits(key.data(), key.size()), write});
}

}  // namespace eve
