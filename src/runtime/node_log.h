// What the logs of a node's roles have in common: DIRECTORY/NODE/ROLE/NAME-*.log.
#pragma once

#include <string>

#include "base/ids.h"
#include "durability/keeper.h"

namespace eve::runtime {

/// For the log `name` of a role; sizes and durability are the default ones.
durability::KeeperOptions node_log(const std::string& name, const std::string& cluster_id,
                                   Address role);

}  // namespace eve::runtime
