// cluster.toml: who is in the cluster and what everyone must agree on. Written by `eve init`, read
// by every node; holds no secrets (NAME.key and cluster.secret do).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "eve/result.h"

namespace eve::runtime {

struct NodeConfig {
  std::string name;           ///< [a-z0-9-]{1,32}
  std::string host;           ///< address that others connect to; no port
  uint16_t port = 0;          ///< protocol links; 0 for nodes that only connect out
  uint16_t status_port = 0;   ///< HTTP: GET /status
  uint16_t service_port = 0;  ///< gateways: where Redis clients connect
  std::vector<Address> roles;
  crypto::PublicKey key{};
};

/// Of `config = "primary-backup"` (docs/primary-backup.md).
struct PairConfig {
  std::vector<std::string> endpoints;  ///< of etcd, "http://HOST:PORT"; none: arbiter = "none"
  uint32_t silence_ms = 1'000;
  uint32_t progress_ms = 10'000;
};

struct ClusterConfig {
  std::string id;  ///< random, 32 hexadecimal digits: tells clusters apart
  FaultModel model{1, 0};
  crypto::DigestAlgorithm digest = crypto::DigestAlgorithm::kXxh3;
  bool tls = true;  ///< false only where r = 0
  std::string service = "kv";
  /// Root of the state that it begins with; nullopt: the service's empty one.
  std::optional<crypto::Digest> genesis;
  PairConfig pair;  ///< where model.is_primary_backup()
  std::vector<NodeConfig> nodes;

  /// Which node plays a role; every role of the model is played exactly once.
  const NodeConfig& node_of(Address address) const;
  const NodeConfig* find(std::string_view name) const;
  uint16_t clients() const;
  crypto::KeyDirectory keys() const;
};

/// Both directions are exact: parse(format(c)) gives c. Errors name the line or the key, and what
/// is expected there.
Result<ClusterConfig> parse_cluster_toml(std::string_view text);
std::string format_cluster_toml(const ClusterConfig& config);

/// Whether a node or a service may be called that: 1 to 32 of a-z, 0-9 and -.
bool is_name(std::string_view text);

/// Checks what parsing cannot: every role once, names and ports unique, tls where r >= 1.
Status validate(const ClusterConfig& config);

}  // namespace eve::runtime
