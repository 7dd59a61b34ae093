#include "bench/trie.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "base/check.h"

namespace eve::bench {
namespace {

constexpr unsigned kBits = 4;
constexpr unsigned kMaxDepth = 64 / kBits;
constexpr size_t kAhead = 6;

unsigned branch_of(uint64_t hash, unsigned depth) {
  return static_cast<unsigned>(hash >> (64 - kBits * (depth + 1))) & 15;
}

/// What a block of `size` bytes costs.
size_t allocated(size_t size) {
  return (size + 8 + 15) & ~size_t{15};
}

}  // namespace

/// Followed by an entry for each child, by ascending branch: a node's address or an object's
/// number, and its digest.
struct Trie::Node {
  uint16_t occupied = 0;
  uint16_t inner = 0;  ///< which children are nodes

  bool has(unsigned branch) const { return (occupied >> branch & 1) != 0; }
  bool is_inner(unsigned branch) const { return (inner >> branch & 1) != 0; }
  size_t children() const { return static_cast<size_t>(__builtin_popcount(occupied)); }
  size_t position(unsigned branch) const {
    return static_cast<size_t>(__builtin_popcount(occupied & ((1u << branch) - 1)));
  }
  char* entries() { return reinterpret_cast<char*>(this) + kHeader; }
  static constexpr size_t kHeader = 8;
};

Trie::Trie(const crypto::Digester& digester, size_t key_bytes, const Payloads& payloads)
    : digester_(digester), key_bytes_(key_bytes), root_(make_node()) {
  std::vector<uint64_t> all(payloads.size());
  std::iota(all.begin(), all.end(), 0);
  update(payloads, all);
}

Trie::~Trie() {
  destroy(root_);
}

uint64_t Trie::hash_of(const std::string& payload) const {
  return digester_.keyed_hash(ByteView(payload).substr(0, key_bytes_));
}

size_t Trie::node_bytes(size_t children) const {
  return Node::kHeader + children * entry_bytes();
}

char* Trie::entry(Node* node, unsigned branch) const {
  return node->entries() + node->position(branch) * entry_bytes();
}

Trie::Node* Trie::make_node() {
  bytes_ += allocated(node_bytes(0));
  return new (std::malloc(node_bytes(0))) Node;
}

void Trie::destroy(Node* node) {
  for (unsigned branch = 0; branch < 16; ++branch) {
    if (!node->has(branch) || !node->is_inner(branch)) continue;
    Node* child = nullptr;
    std::memcpy(&child, entry(node, branch), sizeof child);
    destroy(child);
  }
  std::free(node);
}

Trie::Node* Trie::widen(Node* node, unsigned branch) {
  const size_t children = node->children();
  const size_t before = node->position(branch) * entry_bytes();
  const size_t after = children * entry_bytes() - before;
  bytes_ += allocated(node_bytes(children + 1)) - allocated(node_bytes(children));
  Node* moved = static_cast<Node*>(std::realloc(node, node_bytes(children + 1)));
  EVE_CHECK(moved != nullptr, "out of memory");
  char* gap = moved->entries() + before;
  std::memmove(gap + entry_bytes(), gap, after);
  std::memset(gap, 0, entry_bytes());
  moved->occupied = static_cast<uint16_t>(moved->occupied | 1u << branch);
  return moved;
}

void Trie::set_leaf(Node* node, unsigned branch, uint64_t object, const Payloads& payloads) const {
  char* at = entry(node, branch);
  std::memcpy(at, &object, sizeof object);
  const crypto::Digest digest = digester_.digest(payloads[object]);
  std::memcpy(digest_at(at), digest.bytes.data(), digester_.size());
}

Trie::Node* Trie::push_down(Node* node, unsigned branch, unsigned depth, const Payloads& payloads) {
  EVE_CHECK(depth + 1 < kMaxDepth, "two keys of one hash");
  char* at = entry(node, branch);
  uint64_t object = 0;
  std::memcpy(&object, at, sizeof object);
  const unsigned below = branch_of(hash_of(payloads[object]), depth + 1);
  Node* child = widen(make_node(), below);
  std::memcpy(entry(child, below), at, entry_bytes());
  std::memcpy(at, &child, sizeof child);
  node->inner = static_cast<uint16_t>(node->inner | 1u << branch);
  return child;
}

/// Settles the children of one node that are objects, and lists those that are nodes.
void Trie::visit(std::vector<Visit>& level, size_t index, unsigned depth, const Payloads& payloads,
                 const std::vector<Change>& changes, std::vector<Visit>& below) {
  Visit& visit = level[index];
  for (size_t first = visit.first; first < visit.end;) {
    const unsigned branch = branch_of(changes[first].hash, depth);
    size_t end = first + 1;
    while (end < visit.end && branch_of(changes[end].hash, depth) == branch) ++end;
    const bool one = end == first + 1;
    const bool is_new = !visit.node->has(branch);
    if (is_new) visit.node = widen(visit.node, branch);
    Node* child = nullptr;
    char* at = entry(visit.node, branch);
    if (visit.node->is_inner(branch)) {
      std::memcpy(&child, at, sizeof child);
    } else if (is_new && !one) {
      child = make_node();
      std::memcpy(at, &child, sizeof child);
      visit.node->inner = static_cast<uint16_t>(visit.node->inner | 1u << branch);
    } else {
      uint64_t there = changes[first].object;
      if (!is_new) std::memcpy(&there, at, sizeof there);
      if (one && there == changes[first].object) {
        set_leaf(visit.node, branch, there, payloads);
      } else {
        child = push_down(visit.node, branch, depth, payloads);
      }
    }
    if (child != nullptr) below.push_back({child, index, branch, first, end});
    first = end;
  }
}

/// `above` is null for the root. Nodes may have moved since their parents were visited.
void Trie::hash_nodes(const std::vector<Visit>& level, std::vector<Visit>* above) {
  Bytes payload;
  for (const Visit& visit : level) {
    // The bits tell which children there are; addresses are no part of what is hashed.
    payload.assign(reinterpret_cast<const char*>(visit.node), sizeof(Node));
    for (size_t i = 0; i < visit.node->children(); ++i) {
      payload.append(digest_at(visit.node->entries() + i * entry_bytes()), digester_.size());
    }
    const crypto::Digest digest = digester_.digest(payload);
    if (above == nullptr) {
      root_digest_ = digest;
      root_ = visit.node;
    } else {
      char* at = entry((*above)[visit.parent].node, visit.branch);
      std::memcpy(at, &visit.node, sizeof visit.node);
      std::memcpy(digest_at(at), digest.bytes.data(), digester_.size());
    }
  }
}

void Trie::prefetch(const Visit& visit) const {
  const char* bytes = reinterpret_cast<const char*>(visit.node);
  for (size_t at = 0; at < node_bytes(8); at += 64) __builtin_prefetch(bytes + at);
}

void Trie::update(const Payloads& payloads, const std::vector<uint64_t>& objects) {
  std::vector<Change> changes;
  changes.reserve(objects.size());
  for (const uint64_t object : objects) changes.push_back({hash_of(payloads[object]), object});
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.hash < b.hash; });
  std::vector<std::vector<Visit>> levels{{{root_, 0, 0, 0, changes.size()}}};
  for (unsigned depth = 0; !levels.back().empty(); ++depth) {
    std::vector<Visit> below;
    std::vector<Visit>& level = levels.back();
    for (size_t i = 0; i < level.size(); ++i) {
      if (i + kAhead < level.size()) prefetch(level[i + kAhead]);
      visit(level, i, depth, payloads, changes, below);
    }
    levels.push_back(std::move(below));
  }
  for (size_t level = levels.size(); level-- > 0;) {
    hash_nodes(levels[level], level == 0 ? nullptr : &levels[level - 1]);
  }
}

}  // namespace eve::bench
