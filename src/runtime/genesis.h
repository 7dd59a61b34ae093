// What a cluster begins with: the service's empty state, or a backup's, which lies as a checkpoint
// in DIRECTORY/genesis and whose root stands in cluster.toml (docs/backup.md).
#pragma once

#include <filesystem>
#include <functional>

#include "crypto/digest.h"
#include "eve/result.h"
#include "execution/runner.h"
#include "runtime/cluster_config.h"

namespace eve::runtime {

/// The token of batch 0. A verifier needs it too, and so needs the service.
crypto::Digest genesis_of(const ClusterConfig& cluster, const crypto::Digester& digester,
                          const execution::MakeService& make_service);

/// Where `directory` has it.
std::filesystem::path genesis_directory(const std::filesystem::path& directory);

/// Brings an empty runner to batch 0. Null where that is the empty state.
using Begin = std::function<Status(execution::Runner&)>;
Begin begin_of(const ClusterConfig& cluster, const std::filesystem::path& directory);

}  // namespace eve::runtime
