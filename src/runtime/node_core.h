// What every member of a cluster has, servers and native clients alike: who it is, its loop, and
// its router to the others.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "eve/result.h"
#include "runtime/cluster_config.h"
#include "runtime/event_loop.h"
#include "runtime/identity.h"
#include "runtime/router.h"
#include "runtime/tls.h"

namespace eve::runtime {

class NodeCore {
 public:
  /// Validates the configuration and reads the node's key and the cluster's secret from
  /// `directory`. `node`: a name in cluster.toml, or kOperatorName.
  static Result<std::unique_ptr<NodeCore>> create(ClusterConfig cluster, const std::string& node,
                                                  const std::filesystem::path& directory);

  /// With everybody that it talks to in `nodes` (roster.h). Entries move when one joins.
  const ClusterConfig& cluster() const { return cluster_; }
  const NodeConfig& node() const { return cluster_.nodes[self_]; }

  /// One that joined later, by the chain of epochs: from now on there is a link with it, and its
  /// signatures count. Idempotent; what the chain says takes the place of what cluster.toml said.
  /// On the loop's thread, before it runs too. An error says why the node can have no link.
  Status join(const NodeConfig& node);

  const crypto::Digester& digester() const { return digester_; }
  const crypto::Authenticator& authenticator() const { return *authenticator_; }
  EventLoop& loop() { return loop_; }
  Router& router() { return router_; }

 private:
  NodeCore(ClusterConfig cluster, size_t self, Identity identity, std::unique_ptr<TlsContext> tls);

  ClusterConfig cluster_;
  size_t self_;
  crypto::Digester digester_;
  std::unique_ptr<crypto::Authenticator> authenticator_;
  std::unique_ptr<TlsContext> tls_;
  EventLoop loop_;
  Router router_;
};

}  // namespace eve::runtime
