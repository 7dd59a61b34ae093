// One version of an engine's state, read while later batches run (DESIGN 5.6).
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::state {

class Store;
class Table;

/// The state as of batch `n`, as long as the engine holds it: until history is trimmed beyond it
/// (a Pin prevents that), its batch is rolled back, or another state is installed. From then on
/// every question is answered by nullopt. A batch `n` that is executed anew and ends in another
/// state is another version.
///
/// A value: copies cost nothing and keep nothing alive; must not be used after its engine.
/// Cost: a step for each batch since `n`, whatever the size of the state.
/// Thread safety: as Engine's owner part. get(), node() and payload() are for between batches: what
/// leaves held is known only once the open batch is sealed.
class VersionView {
 public:
  VersionView(const Store& store, BatchNumber n);

  BatchNumber number() const { return number_; }
  bool exists() const;
  std::optional<crypto::Digest> root() const;
  /// Size of the tree: leaves, free ones included.
  std::optional<uint64_t> slots() const;
  /// Of a node's payload; zero for a free slot. Nullopt also if the tree has no such node.
  std::optional<crypto::Digest> digest(TreeNode id) const;
  /// What hashes to digest(id): see Engine::node(). Nullopt also for a free slot.
  std::optional<Bytes> node(TreeNode id) const;
  /// The payload of a leaf (node_format.h).
  std::optional<Bytes> payload(uint64_t slot) const { return node({0, slot}); }
  /// The value of `key` as of this version; nullopt also if it was absent then. Valid until the
  /// engine is next changed. Keys that are absent now cost a search of the history since.
  std::optional<ByteView> get(const Table& table, ByteView key) const;

  const Store& store() const { return *store_; }

 private:
  const Store* store_;
  BatchNumber number_;
  std::optional<crypto::Digest> root_;
};

}  // namespace eve::state
