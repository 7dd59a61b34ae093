// What the logs of a node's roles have in common: DIRECTORY/NODE/ROLE/NAME-*.log.
#pragma once

#include <string>

#include "base/ids.h"
#include "durability/keeper.h"

namespace eve::runtime {

/// Differs from one start of the machine to the next. Where it cannot be read, nothing equals it.
std::string machine_start();

/// For the log `name` of a role; sizes and durability are the default ones.
durability::KeeperOptions node_log(const std::string& name, const std::string& cluster_id,
                                   Address role);

}  // namespace eve::runtime
