#include "runtime/roster.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace eve::runtime {

ClusterConfig with_everybody(ClusterConfig cluster) {
  if (cluster.operator_key) {
    NodeConfig node;
    node.name = kOperatorName;
    node.roles = {Address::client(limits::kOperator)};
    node.key = *cluster.operator_key;
    cluster.nodes.push_back(std::move(node));
  }
  for (auto& node : std::exchange(cluster.joined, {})) cluster.nodes.push_back(std::move(node));
  return cluster;
}

Result<Enlisted> enlist(ClusterConfig& everybody, const NodeConfig& node) {
  if (auto status = validate_joined(everybody.model, node); !status) return status.error();
  auto& nodes = everybody.nodes;
  const auto epoch = joined_in(everybody.model, node);
  size_t at = nodes.size();
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (joined_in(everybody.model, nodes[i]) == epoch) {
      at = i;
    } else if (nodes[i].name == node.name) {
      return Error{"node \"" + node.name + "\", which joined in epoch " + std::to_string(epoch) +
                   ", has the name of another one: nobody can tell them apart; replace it by one "
                   "with a name of its own"};
    }
  }
  if (at == nodes.size()) {
    nodes.push_back(node);
    return Enlisted{at, Enlisted::How::kNew};
  }
  // Of two seats one may be another's by now: it keeps the addresses that it has had.
  auto now = node;
  if (nodes[at].name == node.name && nodes[at].key == node.key) {
    for (const auto role : nodes[at].roles) {
      if (std::find(now.roles.begin(), now.roles.end(), role) == now.roles.end()) {
        now.roles.push_back(role);
      }
    }
    std::sort(now.roles.begin(), now.roles.end());
  }
  if (nodes[at] == now) return Enlisted{at, Enlisted::How::kKnown};
  nodes[at] = std::move(now);
  return Enlisted{at, Enlisted::How::kReplaced};
}

bool dials(const ClusterConfig& everybody, size_t self, size_t other) {
  const auto& mine = everybody.nodes[self];
  const auto& theirs = everybody.nodes[other];
  if (mine.port == 0 || theirs.port == 0) return mine.port == 0;
  const auto my_epoch = joined_in(everybody.model, mine);
  const auto their_epoch = joined_in(everybody.model, theirs);
  return my_epoch != their_epoch ? my_epoch > their_epoch : self > other;
}

bool is_operator(const NodeConfig& node) {
  return node.roles.size() == 1 && node.roles.front() == Address::client(limits::kOperator);
}

}  // namespace eve::runtime
