// What differs between two versions of a state, found by a walk that enters only what does.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "state/tree_walk.h"
#include "state/version_view.h"

namespace eve::state {

/// A leaf that is not the same in two trees; the digest zero stands for a free slot, or one beyond
/// the end of the tree.
struct LeafDifference {
  uint64_t slot;
  crypto::Digest before;
  crypto::Digest after;
};

/// Compares a local version with the tree of a given root that others hold, leaves excepted: those
/// are told apart by their digests. Pure, as Fetch is: the owner carries wants to any source, which
/// may lie or be slow, and payloads back. Asks for O(differing leaves x height) nodes.
///
/// Thread safety: none; one owner, as Engine's.
class Diff {
 public:
  /// `before` must be kept (Pin) until the end; see differences().
  Diff(VersionView before, const crypto::Digest& after_root);

  /// As in Fetch: what to ask for, what does not come, what has come.
  std::vector<TreeNode> wants(size_t limit) { return walk_.wants(limit); }
  void again(TreeNode id) { walk_.again(id); }
  bool supply(TreeNode id, ByteView payload) { return walk_.supply(id, payload); }
  bool complete() const { return walk_.complete(); }

  /// By ascending slot. Nullopt if the local version is gone. Precondition: complete().
  std::optional<std::vector<LeafDifference>> differences() const;

 private:
  const VersionView before_;
  TreeWalk walk_;
};

/// Visits the leaves that differ between two versions, of one engine or of two with the same
/// digester, by ascending slot. Returns the number of nodes read on the way, or nullopt, nothing
/// visited, if one of them is gone.
std::optional<uint64_t> diff(const VersionView& before, const VersionView& after,
                             const std::function<void(const LeafDifference&)>& visit);

}  // namespace eve::state
