#include "runtime/node_core.h"

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

}  // namespace eve::runtime
