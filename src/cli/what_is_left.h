// What nodes that are down mean for the service, in words.
#pragma once

#include <string>
#include <vector>

#include "runtime/cluster_config.h"

namespace eve::cli {

/// One sentence, or two. `down`: all that do not serve. Counts executors and verifiers against the
/// u of each that may fail; gateways that are down turn their own clients away.
std::string what_is_left(const runtime::ClusterConfig& cluster,
                         const std::vector<const runtime::NodeConfig*>& down);

}  // namespace eve::cli
