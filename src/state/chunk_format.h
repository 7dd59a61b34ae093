// What a full state is exported as: chunks that are verified each by itself against the root alone,
// in any order, from any source.
//
//   chunk = 0x05 slots:u64 node?                 the tree's size and its topmost node (no slots:
//   none) node  = 0x00                                 a free slot                       (level 0)
//         | 0x01 size:u32 leaf                   a leaf's payload (node_format.h)  (level 0)
//         | 0x02 node{1,16}                      an inner node: all its children   (level >= 1)
//         | 0x03 digest                          elsewhere: other chunks bring it
//         | 0x04 digest                          kept: the receiver has it from an earlier version
//
// In words: the whole tree from the top down, cut off where a digest is enough. An exporter brings
// one aligned subtree, so all but a path is cut off; the digests beside the path are the proof.
// Positions follow from the shape of the tree (node_format.h) and are not stated, so none can be
// wrong, overlap, or be outside. Integers are little-endian; digests have the digester's size.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "state/node_format.h"
#include "state/object.h"
#include "state/slot_ranges.h"

namespace eve::state {

inline constexpr char kChunkTag = 5;
inline constexpr char kFreeNode = 0;
inline constexpr char kLeafNode = 1;
inline constexpr char kInnerNode = 2;
inline constexpr char kElsewhereNode = 3;
inline constexpr char kKeptNode = 4;

/// The largest chunk that is looked at: a path around the largest leaf.
inline constexpr size_t kMaxChunkBytes = kMaxKeyBytes + kMaxValueBytes + (size_t{1} << 20);
static_assert(kMaxChunkBytes < limits::kMaxFrameBytes);

/// A verified chunk. Views into its bytes.
struct Chunk {
  struct LeafNode {
    uint64_t slot;
    crypto::Digest digest;
    ByteView payload;
  };
  uint64_t slots = 0;
  std::vector<LeafNode> leaves;                           ///< by ascending slot
  SlotRanges free;                                        ///< free slots
  std::vector<std::pair<TreeNode, crypto::Digest>> kept;  ///< what the receiver is said to have
};

/// What is agreed on before a chunk comes.
struct ChunkRules {
  const crypto::Digester& digester;
  crypto::Digest root;
  uint64_t max_slots = kMaxSlots;  ///< the most that a state may claim
  /// Whether a well-formed leaf is one that the state can have; null: any is.
  std::function<bool(const Leaf& leaf)> leaf_check{};
};

/// Everything in the chunk is part of the state with that root, or the error names what is wrong.
/// Time is that of hashing the bytes, memory a small multiple of them, whatever they are.
Result<Chunk> decode_chunk(ByteView bytes, const ChunkRules& rules);

/// The slots below a node in a tree with `slots` leaves.
SlotRange slots_below(uint64_t slots, TreeNode id);

}  // namespace eve::state
