// Ways to cut a network in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace eve::sim {

enum class Partition : uint8_t {
  kLone,      ///< one node hears and reaches nobody
  kHalf,      ///< two sides
  kBridge,    ///< two sides, and one node that reaches both
  kRing,      ///< everybody reaches two neighbours only
  kOneWay,    ///< one side hears the other, but is not heard
  kHalfOpen,  ///< single links that carry nothing one way
};
inline constexpr size_t kPartitions = 6;

/// Which links carry nothing: [from * nodes + to]. `servers`: the first so many nodes are; a lone
/// node is one of them. Precondition: 1 <= servers <= nodes.
std::vector<bool> cut_links(Partition kind, size_t servers, size_t nodes, Random& random);

}  // namespace eve::sim
