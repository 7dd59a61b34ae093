// For tests: counts what this thread asks of the allocator.
#pragma once

#include <cstddef>

namespace eve::wire::testing {

/// Bytes that the calling thread has asked for since it started.
size_t allocated_bytes();
/// How many times.
size_t allocations();

}  // namespace eve::wire::testing
