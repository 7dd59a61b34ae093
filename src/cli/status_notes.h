// What a person should look at in a cluster's status: who does not answer, who is behind and what
// it waits for, who is suspected by whom, whose links are down, who sends what is refused.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eve::cli {

/// `nodes`: the statuses of all nodes (runtime/node.h), or {"name", "error"} of those that did not
/// answer. One line a finding; none if all is well.
std::vector<std::string> status_notes(const nlohmann::json& nodes);

}  // namespace eve::cli
