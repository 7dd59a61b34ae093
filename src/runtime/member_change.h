// From what an operator says to a change of the members: who sits where, which seats go to whom,
// and what cannot be. Pure functions of cluster.toml and the present members.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "membership/members.h"
#include "runtime/cluster_config.h"
#include "wire/membership.h"

namespace eve::runtime {

/// A node that has seats now.
struct SeatedNode {
  NodeConfig node;             ///< by the chain, or, from the beginning, by cluster.toml
  std::vector<Address> seats;  ///< executor, verifier
  Epoch since;
};

/// Everybody who sits there, by seats. Of whom nothing is known but the address, that is the name.
std::vector<SeatedNode> seated_nodes(const ClusterConfig& cluster,
                                     const membership::Members& members);

/// Whether members of this cluster can be changed at all, and `old_name` may be one of them: before
/// anybody is asked.
Status check_changeable(const ClusterConfig& cluster, const std::string& old_name);
/// A client role of the node, which stays where it is; empty if it has none.
std::string client_role_of(const ClusterConfig& cluster, const std::string& name);

/// All seats of `old_name` go to `fresh`, a node without roles.
Result<wire::Change> change_for(const ClusterConfig& cluster, const membership::Members& members,
                                const std::string& old_name, const NodeConfig& fresh);

/// The text of cluster.toml with [[joined]] tables for those of `nodes` that it lacks, as it was
/// otherwise. An error if that is no valid cluster.
Result<std::string> with_joined(const std::string& text, const std::vector<NodeConfig>& nodes);

}  // namespace eve::runtime
