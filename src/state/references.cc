#include "state/references.h"

namespace eve::state {

bool valid_references(ByteView packed, size_t value_size) {
  if (packed.size() % kOffsetBytes != 0) return false;
  uint64_t end = 0;
  for (size_t i = 0; i * kOffsetBytes < packed.size(); ++i) {
    const uint64_t offset = reference_offset(packed, i);
    if (offset < end || offset + kReferenceBytes > value_size) return false;
    end = offset + kReferenceBytes;
  }
  return true;
}

}  // namespace eve::state
