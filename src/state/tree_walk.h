// The walk down a tree with a given root beside a local one, into what differs and nothing else:
// what Fetch (engine.h) and Diff (diff.h) are made of.
//
//   visit(node): equal in the local tree -> nothing differs below, done
//                held already            -> its children
//                else                    -> pending -> asked -> supplied -> its children
//
// Nodes are asked for lowest level first, so that what is open at once stays small: a path, not a
// level. Payloads are kept by position, so that a new target finds those that it shares. Pure;
// payloads come from anybody and count only if they hash to what was asked for.
//
// Work and nodes asked for are O(differing leaves x height). Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "state/node_format.h"
#include "state/version_view.h"

namespace eve::state {

class TreeWalk {
 public:
  /// Whether a leaf's payload, which is authentic, is one that a local engine can have made.
  using LeafCheck = std::function<bool(ByteView payload)>;

  /// `local` must exist until the walk is over. Without `leaf_check` leaves are told apart by their
  /// digests and never asked for.
  TreeWalk(const crypto::Digester& digester, VersionView local, LeafCheck leaf_check);

  /// A new target: what is held is kept where it still matches.
  void start(const crypto::Digest& root);

  /// As in Fetch.
  std::vector<TreeNode> wants(size_t limit);
  void again(TreeNode id);
  bool supply(TreeNode id, ByteView payload);
  bool complete() const { return record_ && pending_.empty() && asked_.empty(); }

  const crypto::Digest& target() const { return target_; }
  /// Of the target; once complete().
  const RootRecord& record() const { return *record_; }
  /// Leaves of the target's tree that the local one has not, in no order. A free slot beyond the
  /// end of the local tree is one; leaves beyond the end of the target's are not listed.
  const std::vector<std::pair<uint64_t, crypto::Digest>>& changed() const { return changed_; }
  /// The payload of a leaf in changed(), not free, if leaves were asked for.
  ByteView leaf(uint64_t slot) const { return held_.at({0, slot}).payload; }

 private:
  struct Held {
    crypto::Digest digest;
    Bytes payload;
  };
  struct TreeNodeHash {
    size_t operator()(const TreeNode& id) const {
      return std::hash<uint64_t>()(id.index * 256 + id.level);
    }
  };
  using Node = std::pair<TreeNode, crypto::Digest>;

  bool holds(const Node& node) const;
  bool well_formed(TreeNode id, ByteView payload) const;
  void visit(const Node& first);
  void open_children(TreeNode id, ByteView payload, std::vector<Node>& open);

  const crypto::Digester& digester_;
  const VersionView local_;
  const LeafCheck leaf_check_;
  crypto::Digest target_;
  std::optional<RootRecord> record_;            ///< once known
  std::map<TreeNode, crypto::Digest> pending_;  ///< to be asked for
  std::map<TreeNode, crypto::Digest> asked_;
  std::vector<std::pair<uint64_t, crypto::Digest>> changed_;
  std::unordered_map<TreeNode, Held, TreeNodeHash> held_;
};

}  // namespace eve::state
