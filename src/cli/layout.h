// Which node plays which roles, for `eve dev` and `eve init`.
#pragma once

#include <string>
#include <vector>

#include "base/quorum.h"
#include "eve/result.h"
#include "runtime/cluster_config.h"

namespace CLI {
class App;
}

namespace eve::cli {

/// "bft" (u = r = 1 unless said otherwise), "crash" (r = 0) or "primary-backup".
Result<FaultModel> fault_model(const std::string& config, uint32_t u);

/// What --arbiter, --endpoint and --silence-ms say of a primary-backup cluster.
struct PairOptions {
  std::string arbiter = "none";
  std::vector<std::string> endpoints;
  uint32_t silence_ms = runtime::PairConfig{}.silence_ms;
};
void add_pair_options(CLI::App& command, PairOptions& options);
/// An error where they do not fit the model, or each other.
Status apply_pair_options(const PairOptions& options, runtime::ClusterConfig& config);

/// kSplit: every executor, verifier and gateway is a process of its own. kJoint: executor i,
/// verifier i (and the verifiers beyond) share node i.
enum class Layout { kSplit, kJoint };

struct LocalPorts {
  uint16_t service_port = 0;  ///< the gateway's; 0: no gateway
};

/// A cluster on loopback with free ports: nodes named executor-0, verifier-0 (or node-0), and
/// gateway; and `client`, an identity for one native client.
Result<runtime::ClusterConfig> local_layout(FaultModel model, Layout layout, LocalPorts ports,
                                            const std::string& service);

struct HostPorts {
  uint16_t port = 7100;
  uint16_t status_port = 7200;
  uint16_t service_port = 0;  ///< 0: no gateways
};

/// One node a host, as many hosts as verifiers (two for primary-backup): executor i, verifier i
/// and, with a service port, a gateway on each.
Result<runtime::ClusterConfig> host_layout(FaultModel model, const std::vector<std::string>& hosts,
                                           HostPorts ports, const std::string& service);

}  // namespace eve::cli
