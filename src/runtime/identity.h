// What makes a node this node of this cluster: its private key and the cluster's secret, read from
// NAME.key and cluster.secret.
#pragma once

#include <filesystem>
#include <memory>

#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "eve/result.h"
#include "runtime/cluster_config.h"

namespace eve::runtime {

struct Identity {
  crypto::SigningKey key;
  crypto::Secret secret;
};

/// Errors name the file and what to do: missing, readable by others, not the key that cluster.toml
/// names.
Result<Identity> read_identity(const std::filesystem::path& directory, const NodeConfig& node);

/// The secret alone.
Result<crypto::Secret> read_cluster_secret(const std::filesystem::path& directory);

/// Signatures where nodes may lie; none where they cannot. Takes the key.
std::unique_ptr<crypto::Authenticator> make_authenticator(const ClusterConfig& cluster,
                                                          crypto::SigningKey key);

}  // namespace eve::runtime
