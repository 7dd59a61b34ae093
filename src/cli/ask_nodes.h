// Asks nodes at their status ports. Whatever one of them does, it takes no longer than that.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "runtime/cluster_config.h"

namespace eve::cli {

inline constexpr int kAskStatusMs = 1'500;

/// The node's status, an object, or {"name","error"}. "name" is the one in cluster.toml: an answer
/// in another's name is an error.
nlohmann::json ask_status(const runtime::NodeConfig& node, int timeout_ms = kAskStatusMs);

/// Of all that have a status port, asked at once.
nlohmann::json ask_everybody(const runtime::ClusterConfig& cluster, int timeout_ms = kAskStatusMs);

}  // namespace eve::cli
