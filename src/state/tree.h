// The digests of the Merkle tree: a dense array for each level, hashed anew along dirty paths only,
// on all workers. It knows neither objects nor versions; node_format.h gives the shape.
//
// Thread safety: the owner's; update() uses the scheduler's workers by itself.
#pragma once

#include <cstdint>
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
/// From the leaves up, no levels if nothing was. Nodes that were not in the tree count as zero.
using Replaced = std::vector<ReplacedLevel>;

/// The leaves of a tree as its owner keeps them. Several workers call it at once.
class LeafSource {
 public:
  virtual ~LeafSource() = default;
  /// Writes the digest of the leaf's payload, or leaves `out` (zero) for a free slot.
  virtual void digest(uint64_t slot, crypto::Digest& out) const = 0;
  /// digest(slot) is coming up: asks for the memory that lies `hops` pointers away from the slot's
  /// number. Called with 0, then 1, and so on up to kHops - 1, other leaves in between.
  virtual void prefetch(uint64_t slot, unsigned hops) const = 0;
  static constexpr unsigned kHops = 3;
};

/// Where dirty leaves are cut into parts that are hashed side by side: at multiples of
/// kFanout^height, so that the nodes up to `height` above a part belong to it alone.
struct Cuts {
  uint8_t height = 0;
  std::vector<uint64_t> first{0};  ///< of each part; part i ends where i + 1 begins

  size_t parts() const { return first.size(); }
  /// The slot after part `i`.
  uint64_t end(size_t i) const { return i + 1 < first.size() ? first[i + 1] : ~uint64_t{0}; }
};

class Tree {
 public:
  explicit Tree(const crypto::Digester& digester);

  uint64_t slots() const { return slots_; }
  /// New leaves are free slots. Every new leaf, and the last one if the tree shrinks, must be dirty
  /// in the next update().
  void resize(uint64_t slots);

  /// Hashes the leaves `dirty` (ascending, not none, each once) and all above them; `leaf_ns` is
  /// what one leaf is expected to cost. Returns what was there before.
  Replaced update(std::vector<uint64_t> dirty, const LeafSource& leaves, uint64_t leaf_ns,
                  Scheduler& scheduler);

  /// Puts back what an update replaced when the tree had `slots` leaves, newest update first. The
  /// caller sees to it that the leaves are again what they were; check_leaves() tells.
  void restore(const Replaced& replaced, uint64_t slots);
  /// Whether each of these leaves (ascending, in the tree) has the digest that the tree says.
  /// `leaves` is asked by position in `slots`: its owner knows already where each one is.
  bool check_leaves(const std::vector<uint64_t>& slots, const LeafSource& leaves, uint64_t leaf_ns,
                    Scheduler& scheduler) const;

  // update() in three steps, for callers who find out in parallel what is dirty.

  /// How to cut `dirty` leaves, of which `sample` is an even, ascending sample.
  Cuts cut(uint64_t dirty, const std::vector<uint64_t>& sample, uint64_t leaf_ns,
           const Scheduler& scheduler) const;
  /// What one part of so many leaves is expected to cost.
  uint64_t part_ns(uint64_t dirty, uint64_t leaf_ns) const;
  /// Hashes the dirty leaves of one part, if any, and the nodes up to `height` above them. Parts
  /// may be hashed at once.
  Replaced update_part(std::vector<uint64_t> dirty, uint8_t height, const LeafSource& leaves);
  /// Hashes what is above `height`, when all parts are done. Joins what the parts replaced (in
  /// order) with it.
  Replaced update_top(std::vector<Replaced> parts, uint8_t height, Scheduler& scheduler);

  /// `count` digests of a level from `first` on; they must be children of one node.
  ByteView digests(uint8_t level, uint64_t first, uint64_t count) const;
  crypto::Digest digest(TreeNode id) const { return digest_from(digests(id.level, id.index, 1)); }
  RootRecord record() const;
  /// The digest of the root record.
  crypto::Digest root() const;
  size_t bytes() const;

 private:
  // Siblings lie side by side behind the tag of their parent's payload: it is hashed where it lies.
  static constexpr uint64_t kFamilies = 64;  // in a page
  static constexpr uint64_t kPage = kFamilies * kFanout;
  struct Level {
    std::vector<std::unique_ptr<char[]>> pages;
  };
  size_t family_bytes() const { return 1 + kFanout * digester_.size(); }
  char* family(uint8_t level, uint64_t parent) const;
  char* at(uint8_t level, uint64_t index) const;
  template <typename Number, typename Coming, typename Visit>
  static void hash_leaves(size_t count, const LeafSource& leaves, const Number& number,
                          const Coming& coming, const Visit& visit);
  ReplacedLevel update_leaves(std::vector<uint64_t> dirty, const LeafSource& leaves);
  void update_node(TreeNode id, char* replaced);
  ByteView payload(TreeNode id) const;
  void prefetch_payload(TreeNode id) const;

  const crypto::Digester& digester_;
  uint64_t slots_ = 0;
  std::vector<Level> levels_;
};

/// The root of a tree with these leaf digests, from nothing; for checks.
crypto::Digest root_of_leaves(const crypto::Digester& digester,
                              std::vector<crypto::Digest> digests);

}  // namespace eve::state
