// Redis's glob patterns: * ? [a-z] [^a] \x.
#pragma once

#include "eve/bytes.h"

namespace eve::kv {

/// Whether `text` matches `pattern` as Redis's KEYS would say. Time O(pattern * text), whatever the
/// pattern: only the last star is ever tried again.
bool glob_match(ByteView pattern, ByteView text);

}  // namespace eve::kv
