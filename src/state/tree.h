// The digests of the Merkle tree: a dense array for each level, hashed anew along dirty paths only,
// on all workers. It knows neither objects nor versions; node_format.h gives the shape.
//
// Thread safety: the owner's; update() uses the scheduler's workers by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/scheduler.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "state/node_format.h"

namespace eve::state {

/// Digests of one level that were replaced: what they were, packed, by ascending index.
struct ReplacedLevel {
  std::vector<uint64_t> indexes;
  Bytes digests;
};
/// From the leaves up. Nodes that were not in the tree count as zero.
using Replaced = std::vector<ReplacedLevel>;

class Tree {
 public:
  explicit Tree(const crypto::Digester& digester);

  uint64_t slots() const { return slots_; }
  /// New leaves are free slots. Every new leaf, and the last one if the tree shrinks, must be dirty
  /// in the next update().
  void resize(uint64_t slots);

  /// Writes the digest of a leaf's payload, or leaves `out` (zero) for a free slot. Called by
  /// several workers at once.
  using LeafDigest = std::function<void(uint64_t slot, crypto::Digest& out)>;
  /// Hashes the leaves `dirty` (ascending, not none, each once) and all above them; `leaf_ns` is
  /// what one leaf is expected to cost. `replaced`, if not null, is filled with what was there
  /// before.
  void update(const std::vector<uint64_t>& dirty, const LeafDigest& leaf, uint64_t leaf_ns,
              Scheduler& scheduler, Replaced* replaced);

  /// `count` digests of a level from `first` on; they must be children of one node.
  ByteView digests(uint8_t level, uint64_t first, uint64_t count) const;
  crypto::Digest digest(TreeNode id) const { return digest_from(digests(id.level, id.index, 1)); }
  RootRecord record() const;
  /// The digest of the root record.
  crypto::Digest root() const;
  size_t bytes() const;

 private:
  static constexpr uint64_t kPage = 1024;  // a multiple of the fan-out: siblings lie side by side
  struct Level {
    std::vector<std::unique_ptr<char[]>> pages;
  };
  char* at(uint8_t level, uint64_t index) const;
  void update_level(uint8_t level, const std::vector<uint64_t>& dirty, const LeafDigest& leaf,
                    uint64_t leaf_ns, Scheduler& scheduler, ReplacedLevel* replaced);
  crypto::Digest hash_inner(TreeNode id) const;
  void prefetch(TreeNode id) const;

  const crypto::Digester& digester_;
  uint64_t slots_ = 0;
  std::vector<Level> levels_;
};

/// The root of a tree with these leaf digests, from nothing; for checks.
crypto::Digest root_of_leaves(const crypto::Digester& digester,
                              std::vector<crypto::Digest> digests);

}  // namespace eve::state
