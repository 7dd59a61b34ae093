#include "runtime/node_core.h"

#include "runtime/roster.h"

namespace eve::runtime {

NodeCore::NodeCore(ClusterConfig cluster, size_t self, Identity identity,
                   std::unique_ptr<TlsContext> tls)
    : cluster_(std::move(cluster)),
      self_(self),
      digester_(cluster_.digest, identity.secret),
      authenticator_(make_authenticator(cluster_, std::move(identity.key))),
      tls_(std::move(tls)),
      router_(loop_, cluster_, self_, tls_.get(), digester_) {
  loop_.add(router_);
  // After the roles: its flush sends what they made.
  loop_.add(router_.links());
}

Result<std::unique_ptr<NodeCore>> NodeCore::create(ClusterConfig cluster, const std::string& node,
                                                   const std::filesystem::path& directory) {
  if (auto status = validate(cluster); !status) return Error{status.message()};
  cluster = with_everybody(std::move(cluster));
  const auto* config = cluster.find(node);
  if (config == nullptr) return Error{"cluster.toml has no node \"" + node + "\""};
  auto identity = read_identity(directory, *config);
  if (!identity) return identity.error();
  std::unique_ptr<TlsContext> tls;
  if (cluster.tls) {
    auto made = TlsContext::create(identity->key, node);
    if (!made) return made.error();
    tls = std::move(*made);
  }
  const auto self = static_cast<size_t>(config - cluster.nodes.data());
  return std::unique_ptr<NodeCore>(
      new NodeCore(std::move(cluster), self, std::move(*identity), std::move(tls)));
}

Status NodeCore::join(const NodeConfig& node) {
  const auto& own = cluster_.nodes[self_];
  const auto epoch = joined_in(cluster_.model, own);
  if (epoch != 0 && joined_in(cluster_.model, node) == epoch) {
    if (node.name == own.name && node.key == own.key) return {};
    return Error{"this node is not the one that joined in epoch " + std::to_string(epoch) +
                 ": that is \"" + node.name + "\" with another key; copy cluster.toml and " +
                 node.name + ".key from where the members were changed"};
  }
  const auto enlisted = enlist(cluster_, node);
  if (!enlisted) return enlisted.status();
  if (enlisted->how == Enlisted::How::kKnown) return {};
  if (auto* signatures = dynamic_cast<crypto::Ed25519Authenticator*>(authenticator_.get())) {
    for (auto address : node.roles) signatures->set(address, node.key);
  }
  router_.join(enlisted->node);
  return {};
}

}  // namespace eve::runtime
