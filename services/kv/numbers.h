// Numbers as Redis reads and writes them.
#pragma once

#include <cstdint>
#include <optional>

#include "eve/bytes.h"

namespace eve::kv {

/// A 64-bit integer in its only spelling: no leading zeros, plus signs or spaces.
std::optional<int64_t> parse_integer(ByteView text);

/// What INCRBYFLOAT takes: everything strtold does, without spaces around it; never NaN.
std::optional<long double> parse_float(ByteView text);

/// Seventeen decimals at most, without trailing zeros: "3", "10.5".
Bytes format_float(long double value);

/// ASCII only, whatever the locale.
bool equal_ignoring_case(ByteView left, ByteView right);
char lower_case(char c);

}  // namespace eve::kv
