// Everybody that a node may exchange messages with, in one list that only grows: the nodes of
// cluster.toml in their order, the operator, and those that joined later, as they become known.
// Positions never change; an entry of one that joined may.
#pragma once

#include <cstddef>

#include "eve/result.h"
#include "runtime/cluster_config.h"

namespace eve::runtime {

/// `cluster` with all of them in `nodes`, and `joined` empty. The operator, if it has a key, is a
/// node without ports whose role is the client limits::kOperator.
ClusterConfig with_everybody(ClusterConfig cluster);

struct Enlisted {
  enum class How { kKnown, kNew, kReplaced };
  size_t node = 0;  ///< position in nodes
  How how = How::kKnown;
};

/// Adds one that joined, or lets it take the place of the entry of the same epoch. An error leaves
/// `everybody` as it was: the entry is no member's, or has another's name.
Result<Enlisted> enlist(ClusterConfig& everybody, const NodeConfig& node);

/// Whether node number `self` dials node number `other`, rather than the other way round. The same
/// at both, in whatever order they learnt of whom: one without a port dials, else the one that
/// joined later, else the one that comes later in cluster.toml.
bool dials(const ClusterConfig& everybody, size_t self, size_t other);

/// Whether it is the operator's entry, whose link is there while the operator asks for something.
bool is_operator(const NodeConfig& node);

}  // namespace eve::runtime
