// What nodes say at their status ports, as `backup` needs it: who may vouch for a backup, and how
// far the cluster may have answered. Some do not answer, and r of them may lie. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/members_said.h"
#include "runtime/cluster_config.h"

namespace eve::cli {

/// By the name of the node that was asked; only of those that answered, and are that node.
using Statuses = std::map<std::string, nlohmann::json>;

/// Each address once, for a node may be replaced on the same host and ports: at the source's only
/// the source, at any other one who joined last.
std::vector<const runtime::NodeConfig*> worth_asking(const runtime::ClusterConfig& cluster,
                                                     const runtime::NodeConfig& source);

/// Who has the seats now: the latest that r+1 of those say alike who are among them. Of
/// primary-backup, whose members stay the same, cluster.toml knows. Nullopt: too few say so.
std::optional<MembersSaid> members_now(const runtime::ClusterConfig& cluster,
                                       const Statuses& statuses);

/// How far clients may have been answered (docs/backup.md, B1). Not of primary-backup.
struct Reach {
  /// No more than u executors are missing, so `through` is a bound.
  bool known = false;
  /// Every write that had been acknowledged is in the state after this batch, as long as those that
  /// are missing and those that lie are no more than u executors.
  uint64_t through = 0;
  /// More nodes say that they have come so far than may lie.
  bool vouched = false;
  /// What surely was committed.
  uint64_t committed = 0;
  /// Executors that cannot say what they have run, and why.
  std::map<std::string, std::string> missing;
};
Reach reach(const FaultModel& model, const MembersSaid& members, const Statuses& statuses);

/// For a person: "node-1 does not answer, node-2 fetches the state".
std::string list_of(const std::map<std::string, std::string>& missing);

}  // namespace eve::cli
