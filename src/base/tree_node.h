// The name of a node of the Merkle tree: shared by the tree itself and by the messages that ask for
// its nodes.
#pragma once

#include <compare>
#include <cstdint>

namespace eve {

/// Level 0 are leaves. kRootLevel names the root record (index 0): the tree's size, its occupancy
/// and its topmost digest; its payload hashes to the state root.
struct TreeNode {
  static constexpr uint8_t kRootLevel = 255;
  uint8_t level = 0;
  uint64_t index = 0;
  auto operator<=>(const TreeNode&) const = default;
};

}  // namespace eve
