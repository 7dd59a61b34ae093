// A Merkle tree of any arity over objects in dense slots: what src/state's tree is, less versions,
// history and threads. For comparisons.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::bench {

/// The objects, by slot: 16 bytes of key and then the value.
using Payloads = std::vector<std::string>;
/// `count` objects with the keys and values that Loaded has.
Payloads make_payloads(uint64_t count);

/// Not thread-safe.
class SlotTree {
 public:
  /// `digester` must outlive the tree.
  SlotTree(const crypto::Digester& digester, size_t arity, const Payloads& payloads);

  /// Hashes the objects that have changed, level by level: in any order, each once.
  void update(const Payloads& payloads, const std::vector<uint64_t>& changed);
  /// Empties the slots of these objects, each once.
  void erase(const std::vector<uint64_t>& objects);
  /// Takes in the objects `fresh`, the last ones of `payloads`, in the order of their keys: into
  /// the lowest free slots, then into new ones (DESIGN 5.3).
  void insert(const Payloads& payloads, const std::vector<uint64_t>& fresh);
  crypto::Digest root() const;
  /// Memory of the digests.
  size_t bytes() const;

 private:
  void resize(uint64_t slots);
  /// `dirty`: slots, ascending.
  void update_slots(const Payloads& payloads, std::vector<uint64_t> dirty);
  /// All that is above `dirty`.
  void update_above(std::vector<uint64_t> dirty);
  void update_inner(size_t level, const std::vector<uint64_t>& dirty);
  char* at(size_t level, uint64_t index) { return levels_[level].data() + index * size_; }

  const crypto::Digester& digester_;
  const size_t arity_;
  const size_t size_;             ///< of a digest
  std::vector<uint64_t> object_;  ///< by slot
  std::vector<uint64_t> slot_;    ///< by object
  std::vector<uint64_t> free_;    ///< slots, descending
  std::vector<Bytes> levels_;     ///< digests side by side
};

}  // namespace eve::bench
