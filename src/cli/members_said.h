// Who the members are, by what nodes say in their status: one of them may lie.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cluster_config.h"

namespace eve::cli {

struct MembersSaid {
  uint64_t epoch = 0;
  std::vector<std::string> executors;  ///< names, by seat
  std::vector<std::string> verifiers;
  bool operator==(const MembersSaid&) const = default;

  bool has(const std::string& name) const;
};

/// What one node says; nullopt if it says nothing of that.
std::optional<MembersSaid> members_in(const nlohmann::json& status);

/// Whether the node is, or was, or may become a member: clients are none.
bool is_replica(const runtime::NodeConfig& node);

/// The latest that r+1 of those say alike who are members by it; nullopt if there is none. Clients
/// may lie in any number, and so may who was replaced. `statuses`: an array of what ask_status()
/// gives.
std::optional<MembersSaid> members_said(const nlohmann::json& statuses,
                                        const runtime::ClusterConfig& cluster);

}  // namespace eve::cli
