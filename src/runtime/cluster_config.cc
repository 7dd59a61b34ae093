#include "runtime/cluster_config.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/limits.h"
#include "runtime/etcd_text.h"

namespace eve::runtime {
namespace {

bool is_cluster_id(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9');
         });
}

Error node_error(const NodeConfig& node, const std::string& what) {
  return Error{"node \"" + node.name + "\": " + what};
}

bool plays(const NodeConfig& node, Role role) {
  return std::any_of(node.roles.begin(), node.roles.end(),
                     [role](Address address) { return address.role == role; });
}

Status check_node(const NodeConfig& node) {
  if (!is_name(node.name)) {
    return node_error(node, "a name is 1 to 32 of a-z, 0-9 and -");
  }
  if (node.host.empty()) return node_error(node, "host is missing");
  if (node.roles.empty()) return node_error(node, "it has no roles");
  std::set<Role> seen;
  for (auto address : node.roles) {
    if (!seen.insert(address.role).second) {
      return node_error(node, "it may play one executor, one verifier and one client at most");
    }
  }
  const bool server = plays(node, Role::kExecutor) || plays(node, Role::kVerifier);
  if (server && node.port == 0) {
    return node_error(node, "executors and verifiers need a port");
  }
  if (node.service_port != 0 && !plays(node, Role::kClient)) {
    return node_error(node, "service_port is for gateways: give it a client role");
  }
  return {};
}

Status check_ports(const ClusterConfig& config) {
  std::map<std::pair<std::string, uint16_t>, std::string> used;
  for (const auto& node : config.nodes) {
    for (auto port : {node.port, node.status_port, node.service_port}) {
      if (port == 0) continue;
      auto [at, fresh] = used.emplace(std::make_pair(node.host, port), node.name);
      if (!fresh) {
        return node_error(node, "port " + std::to_string(port) + " of " + node.host +
                                    " is also used by \"" + at->second + "\"");
      }
    }
  }
  return {};
}

Status check_identities(const ClusterConfig& config) {
  std::set<std::string_view> names;
  std::map<crypto::PublicKey, std::string_view> keys;
  if (config.operator_key) {
    names.insert(kOperatorName);
    keys.emplace(*config.operator_key, kOperatorName);
  }
  for (const auto* node : config.everybody()) {
    if (auto status = check_node(*node); !status) return status;
    if (config.operator_key && node->name == kOperatorName) {
      return node_error(*node, "the name is for who has the key in [operator]");
    }
    if (!names.insert(node->name).second) return node_error(*node, "the name is used twice");
    auto [at, fresh] = keys.emplace(node->key, node->name);
    if (!fresh) {
      return node_error(*node, "it has the same key as \"" + std::string(at->second) + "\"");
    }
  }
  return {};
}

// Its host and ports may be those of a node that it replaces.
Status check_joined(const ClusterConfig& config) {
  if (!config.joined.empty() && config.model.is_primary_backup()) {
    return Error{"[[joined]]: the members of a primary-backup cluster stay the same"};
  }
  std::map<uint32_t, std::string> epochs;
  for (const auto& node : config.joined) {
    if (auto status = validate_joined(config.model, node); !status) return status;
    auto [at, fresh] = epochs.emplace(joined_in(config.model, node), node.name);
    if (!fresh) return node_error(node, "it joined in the same epoch as \"" + at->second + "\"");
  }
  return {};
}

Status check_roles(const ClusterConfig& config) {
  std::map<Address, std::string> played;
  for (const auto& node : config.nodes) {
    for (auto address : node.roles) {
      auto [at, fresh] = played.emplace(address, node.name);
      if (!fresh) {
        return node_error(node, to_string(address) + " is also played by \"" + at->second + "\"");
      }
    }
  }
  const auto count = [&played](Role role) {
    return std::count_if(played.begin(), played.end(),
                         [role](const auto& entry) { return entry.first.role == role; });
  };
  const auto contiguous = [&](Role role, size_t wanted) -> Status {
    for (size_t i = 0; i < wanted; ++i) {
      const Address address{role, static_cast<uint16_t>(i)};
      if (!played.contains(address)) return Error{to_string(address) + " is played by no node"};
    }
    const auto have = static_cast<size_t>(count(role));
    if (have != wanted) {
      return Error{"u = " + std::to_string(config.model.u()) +
                   ", r = " + std::to_string(config.model.r()) + " take " + std::to_string(wanted) +
                   (role == Role::kExecutor ? " executors" : " verifiers") + ", not " +
                   std::to_string(have)};
    }
    return {};
  };
  if (auto status = contiguous(Role::kExecutor, config.model.executors()); !status) return status;
  if (auto status = contiguous(Role::kVerifier, config.model.verifiers()); !status) return status;
  const auto clients = static_cast<size_t>(count(Role::kClient));
  if (clients > limits::kMaxClients) {
    return Error{"at most " + std::to_string(limits::kMaxClients) + " clients"};
  }
  return contiguous(Role::kClient, clients);
}

Status check_model(const ClusterConfig& config) {
  const auto u = config.model.u();
  const auto r = config.model.r();
  if (u < 1 || r > u) return Error{"u must be at least 1 and r at most u"};
  // Bounded before anything is computed from it.
  if (u > limits::kMaxExecutors || config.model.executors() > limits::kMaxExecutors ||
      config.model.verifiers() > limits::kMaxVerifiers) {
    return Error{"u = " + std::to_string(u) + " is too large: at most " +
                 std::to_string(limits::kMaxExecutors) + " executors and " +
                 std::to_string(limits::kMaxVerifiers) + " verifiers"};
  }
  if (config.model.byzantine() && !config.tls) {
    return Error{"tls = false is for r = 0 only: with r = 1 or more, peers must be authenticated"};
  }
  if (config.model.byzantine() && config.digest != crypto::DigestAlgorithm::kSha256) {
    return Error{"digest must be \"sha256\" where r is 1 or more: every node knows xxh3's secret"};
  }
  return {};
}

// Beats leave every tenth of the silence; below, the scheduler of a busy machine decides who leads.
constexpr uint32_t kMinSilenceMs = 100;
constexpr uint32_t kMaxSilenceMs = 600'000;

Status check_pair(const ClusterConfig& config) {
  if (!config.model.is_primary_backup()) return {};
  const PairConfig& pair = config.pair;
  if (pair.silence_ms < kMinSilenceMs || pair.silence_ms > kMaxSilenceMs) {
    return Error{"silence_ms must be " + std::to_string(kMinSilenceMs) + " to " +
                 std::to_string(kMaxSilenceMs)};
  }
  if (pair.progress_ms < pair.silence_ms) {
    return Error{"progress_ms must be at least silence_ms: a batch may take longer than a beat"};
  }
  for (const std::string& url : pair.endpoints) {
    if (auto endpoint = parse_etcd_endpoint(url); !endpoint) return endpoint.status();
  }
  return {};
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

const NodeConfig& ClusterConfig::node_of(Address address) const {
  for (const auto& node : nodes) {
    if (std::find(node.roles.begin(), node.roles.end(), address) != node.roles.end()) return node;
  }
  check_failed(__FILE__, __LINE__, "node_of", "the role is played by no node");
}

const NodeConfig* ClusterConfig::find(std::string_view name) const {
  for (const auto* list : {&nodes, &joined}) {
    for (const auto& node : *list) {
      if (node.name == name) return &node;
    }
  }
  return nullptr;
}

std::vector<const NodeConfig*> ClusterConfig::everybody() const {
  std::vector<const NodeConfig*> all;
  for (const auto* list : {&nodes, &joined}) {
    for (const auto& node : *list) all.push_back(&node);
  }
  return all;
}

uint16_t ClusterConfig::clients() const {
  size_t count = 0;
  for (const auto& node : nodes) {
    for (auto address : node.roles) {
      count += address.role == Role::kClient && address.index != limits::kOperator ? 1 : 0;
    }
  }
  return static_cast<uint16_t>(count);
}

crypto::KeyDirectory ClusterConfig::keys() const {
  crypto::KeyDirectory directory;
  for (const auto* node : everybody()) {
    for (auto address : node->roles) directory.emplace(address, node->key);
  }
  if (operator_key) directory.emplace(Address::client(limits::kOperator), *operator_key);
  return directory;
}

Status validate(const ClusterConfig& config) {
  if (!is_cluster_id(config.id)) return Error{"id must be 32 hexadecimal digits, lower case"};
  if (!is_name(config.service)) {
    return Error{"service \"" + config.service + "\": a name is 1 to 32 of a-z, 0-9 and -"};
  }
  if (auto status = check_model(config); !status) return status;
  if (auto status = check_pair(config); !status) return status;
  if (auto status = check_identities(config); !status) return status;
  if (auto status = check_roles(config); !status) return status;
  if (auto status = check_joined(config); !status) return status;
  if (config.operator_key && config.model.is_primary_backup()) {
    return Error{"[operator]: the members of a primary-backup cluster stay the same"};
  }
  return check_ports(config);
}

uint32_t joined_in(const FaultModel& model, const NodeConfig& node) {
  for (auto address : node.roles) {
    if (address.role == Role::kClient) continue;
    const auto seats = address.role == Role::kExecutor ? model.executors() : model.verifiers();
    if (address.index >= seats) return address.index - seats + 1;
  }
  return 0;
}

Status validate_joined(const FaultModel& model, const NodeConfig& node) {
  if (auto status = check_node(node); !status) return status;
  const auto epoch = joined_in(model, node);
  for (auto address : node.roles) {
    NodeConfig alone;
    alone.roles = {address};
    if (epoch == 0 || joined_in(model, alone) != epoch) {
      return node_error(node,
                        "it joined later: its roles are an executor and a verifier of the "
                        "same epoch, beyond the cluster's seats");
    }
  }
  if (node.port == node.status_port) {
    return node_error(node, "port and status_port are the same");
  }
  return {};
}

}  // namespace eve::runtime
