// Lower-case hexadecimal: digests in logs, public keys in cluster.toml.
#pragma once

#include <optional>
#include <string>

#include "eve/bytes.h"

namespace eve::crypto {

/// Two lower-case digits a byte.
std::string to_hex(ByteView bytes);

/// The bytes, or nullopt where `hex` has an odd length or another character than 0-9, a-f, A-F.
std::optional<Bytes> from_hex(ByteView hex);

}  // namespace eve::crypto
