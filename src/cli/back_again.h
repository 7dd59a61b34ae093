// Whether a node that was restarted counts again: the next one may be restarted then.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace eve::cli {

/// Batches that a node may lack and still count: it follows while others go on.
inline constexpr uint64_t kNearlyThere = 16;

/// `status`: the node's (runtime/node.h); `highest`: the last batch that others say they have
/// committed. Empty: it counts. Else what it lacks.
std::string why_not_back(const nlohmann::json& status, uint64_t highest);
/// The last batch that `status` says to be committed; 0 if it says nothing of that.
uint64_t committed_in(const nlohmann::json& status);

}  // namespace eve::cli
