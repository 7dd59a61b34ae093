// Whether a node that was restarted counts again: the next one may be restarted then.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/cluster_config.h"

namespace eve::cli {

/// Batches that a node may lack and still count: it follows while others go on.
inline constexpr uint64_t kNearlyThere = 16;

/// What the others say.
struct Elsewhere {
  uint64_t committed = 0;  ///< the last batch, with r of them boasting
  std::string too_few;     ///< empty: with the node they are a quorum; else whom it is short of
};
/// Of the members but `node`. `statuses`: an array of what ask_status() gives. Of primary-backup
/// one replica may do without the other, and gateways have no say in what others do: never too few.
Elsewhere look_elsewhere(const runtime::ClusterConfig& cluster, const std::string& node,
                         const nlohmann::json& statuses);

/// `status`: the node's (runtime/node.h); `highest`: the last batch that others say they have
/// committed. Empty: it counts. Else what it lacks.
std::string why_not_back(const nlohmann::json& status, uint64_t highest);
/// The last batch that `status` says to be committed; 0 if it says nothing of that.
uint64_t committed_in(const nlohmann::json& status);

}  // namespace eve::cli
