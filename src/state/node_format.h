// What is hashed, and transferred: the payloads of the Merkle tree's nodes.
//
//   leaf   = 0x01 kind:u8 table:u16 key_size:u32 key value              kind 1: a keyed object
//          | 0x01 kind:u8 table:u16 key_size:u32 key references value   kind 2: with references
//          | 0x01 kind:u8 table:u16 references value                    kind 3: a free-standing one
//   references = count:u32 offset:u32{count}                     where in the value they lie
//   inner  = 0x02 digest{1,16}                                   its children, in order
//   root   = 0x03 slots:u64 digest                               the tree's size and topmost digest
//
// A reference in a value is eight bytes: the slot of the object, ~0 for none, ~0 - 1 for an object
// that is not there. Integers are little-endian; digests have the digester's size. A free slot has
// no payload and the digest zero, which no payload hashes to; so the topmost digest covers the
// occupancy too. The shape of the tree follows from its size alone: level k+1 has a node for every
// 16 of level k, up to a single one.
#pragma once

#include <cstdint>
#include <optional>

#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::state {

/// 16 measured as good as 8 in time and takes half the memory (docs/state.md).
inline constexpr uint64_t kFanout = 16;
/// A limit for what a root record may claim: a terabyte of digests.
inline constexpr uint64_t kMaxSlots = uint64_t{1} << 35;

/// Nodes on `level` of a tree with `slots` leaves.
uint64_t level_size(uint64_t slots, uint8_t level);
/// The level with a single node; 0 for trees of one leaf or none.
uint8_t top_level(uint64_t slots);
/// Children of the node `id` (level >= 1), which must be in the tree.
uint64_t child_count(uint64_t slots, TreeNode id);

struct Leaf {
  uint16_t table = 0;
  ByteView key;
  ByteView value;
  ByteView references{};       ///< packed, as in references.h
  bool free_standing = false;  ///< no key
};
/// The value comes last in `out`.
void encode_leaf(const Leaf& leaf, Bytes& out);
/// Views into `payload`; nullopt if it is no leaf within the limits of eve/state.h.
std::optional<Leaf> decode_leaf(ByteView payload);

/// What an inner node's payload begins with; the digests follow.
inline constexpr char kInnerTag = 2;
/// `digests`: the children's, one after the other.
void encode_inner(ByteView digests, Bytes& out);
/// The children's digests; nullopt if the payload is no inner node of `children` children.
std::optional<ByteView> decode_inner(ByteView payload, uint64_t children, size_t digest_size);

struct RootRecord {
  uint64_t slots = 0;
  crypto::Digest top;  ///< zero if there are no slots
};
Bytes encode_root(const RootRecord& root, size_t digest_size);
std::optional<RootRecord> decode_root(ByteView payload, size_t digest_size);

/// A digest from its significant bytes.
crypto::Digest digest_from(ByteView bytes);

}  // namespace eve::state
