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
  bool operator==(const NodeConfig&) const = default;
};

/// The operator's name among nodes; its key is in operator.key.
inline constexpr std::string_view kOperatorName = "operator";

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
  /// Whose signature changes the members (docs/membership.md); nullopt: they stay as they are.
  std::optional<crypto::PublicKey> operator_key;
  std::vector<NodeConfig> nodes;   ///< from the beginning
  std::vector<NodeConfig> joined;  ///< later: their roles are beyond the model's seats

  /// Which node plays a role; every role of the model is played exactly once.
  const NodeConfig& node_of(Address address) const;
  /// Null if there is none; of those that joined, too.
  const NodeConfig* find(std::string_view name) const;
  /// Those of the beginning, then those that joined.
  std::vector<const NodeConfig*> everybody() const;
  /// How many there are; the operator is none of them.
  uint16_t clients() const;
  crypto::KeyDirectory keys() const;
};

/// Both directions are exact: parse(format(c)) gives c. Errors name the line or the key, and what
/// is expected there.
Result<ClusterConfig> parse_cluster_toml(std::string_view text);
std::string format_cluster_toml(const ClusterConfig& config);
/// One [[joined]] table, to be appended.
std::string format_joined(const NodeConfig& node);

/// Whether a node or a service may be called that: 1 to 32 of a-z, 0-9 and -.
bool is_name(std::string_view text);

/// Checks what parsing cannot: every role once, names and ports unique, tls where r >= 1.
Status validate(const ClusterConfig& config);

/// The epoch in which the node joined, by its roles; 0: it is from the beginning, or the operator.
uint32_t joined_in(const FaultModel& model, const NodeConfig& node);
/// What validate() asks of each entry of `joined` by itself.
Status validate_joined(const FaultModel& model, const NodeConfig& node);

}  // namespace eve::runtime
