// A canonical trie: a Merkle tree whose shape depends on the set of keys alone, so that objects
// need no slots. For comparisons (docs/state.md, "Alternatives measured").
//
// A node has up to 16 children, chosen by four bits of a keyed hash of the key; an object hangs
// where its bits first differ from all others'. Nothing is ever taken out: the comparison has no
// use for it.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/slot_tree.h"
#include "crypto/digest.h"

namespace eve::bench {

/// Not thread-safe.
class Trie {
 public:
  /// Takes in all of `payloads`, whose first `key_bytes` bytes are keys. `digester` must outlive
  /// it.
  Trie(const crypto::Digester& digester, size_t key_bytes, const Payloads& payloads);
  ~Trie();
  Trie(const Trie&) = delete;
  Trie& operator=(const Trie&) = delete;

  /// Hashes objects that have changed or come, in any order, each once; a level at a time, so that
  /// many nodes are fetched from memory at once.
  void update(const Payloads& payloads, const std::vector<uint64_t>& objects);
  const crypto::Digest& root() const { return root_digest_; }
  size_t bytes() const { return bytes_; }

 private:
  struct Node;
  struct Change {
    uint64_t hash;
    uint64_t object;
  };
  /// A node to be hashed anew, and which changes are below it.
  struct Visit {
    Node* node;
    size_t parent;  ///< its visit, on the level above
    unsigned branch;
    size_t first;
    size_t end;
  };

  uint64_t hash_of(const std::string& payload) const;
  size_t entry_bytes() const { return sizeof(uint64_t) + digester_.size(); }
  size_t node_bytes(size_t children) const;
  char* entry(Node* node, unsigned branch) const;
  char* digest_at(char* entry) const { return entry + sizeof(uint64_t); }
  Node* make_node();
  void destroy(Node* node);
  /// Makes room for a child; `node` moves.
  Node* widen(Node* node, unsigned branch);
  void set_leaf(Node* node, unsigned branch, uint64_t object, const Payloads& payloads) const;
  /// Puts a node in place of an object, which goes below it.
  Node* push_down(Node* node, unsigned branch, unsigned depth, const Payloads& payloads);
  void visit(std::vector<Visit>& level, size_t index, unsigned depth, const Payloads& payloads,
             const std::vector<Change>& changes, std::vector<Visit>& below);
  void hash_nodes(const std::vector<Visit>& level, std::vector<Visit>* above);
  void prefetch(const Visit& visit) const;

  const crypto::Digester& digester_;
  const size_t key_bytes_;
  Node* root_;
  crypto::Digest root_digest_;
  size_t bytes_ = 0;
};

}  // namespace eve::bench
