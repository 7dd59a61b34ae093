// One process of a cluster: hosts the roles that cluster.toml gives to a node (executor, verifier,
// gateway) on sockets, clocks and threads. Protocol code runs on one network thread; batches run on
// an execution thread and its workers.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "crypto/digest.h"
#include "crypto/keys.h"
#include "durability/checkpoint_policy.h"
#include "durability/keeper.h"
#include "eve/result.h"
#include "execution/runner.h"
#include "runtime/cluster_config.h"
#include "runtime/front_end.h"
#include "runtime/router.h"

namespace eve::runtime {

struct NodeOptions {
  ClusterConfig cluster;
  std::string node;                 ///< name in the cluster
  std::filesystem::path directory;  ///< NAME.key, cluster.secret; node state goes to NAME/
  size_t threads = 1;               ///< workers of the execution stage
  durability::Durability durability = durability::Durability::kMemory;
  uint64_t headroom_bytes = journal::LogOptions().low_bytes;  ///< less free on the disk is low
  durability::CheckpointPolicy checkpoint;  ///< of executors that keep what they run
  execution::MakeService make_service;      ///< for executors
  FrontEndFactory* front_end = nullptr;     ///< for gateways; not owned, outlives the node
  Rewrite rewrite;                          ///< tests only: no command line sets it
};

/// The node's status as JSON, the same text as GET /status on its status port:
/// {"name":..., "pid":..., "config":{"u":1,"r":1}, "roles":["executor-0"], "uptime_s":...,
///  "cpu_user_us":..., "cpu_system_us":...,
///  "executor": {"view","primary","committed","token","state_root","executed","silent","fetching",
///     "waiting_for","commits","rollbacks","repairs","transfers","transfer_bytes","requests",
///     "failed_requests","last_failure","quarantined_requests","batches_sequential",
///     "parallel_batches","refused_messages","busy_us","objects","memory_bytes",
///     "containers":[{"name","objects","bytes","memory_bytes"}...],
///     "checkpoints":{"taken","failed","written_bytes","moved","longest_step_us","trouble",
///        "under_way","last_name","last_number"},
///     "recent":[{"number","token","state_root"}...], "journal":{...}, "epoch","replaced"},
///  "pair": {"record","epoch","leading","in_sync","both_in_sync","in_doubt","asking",
///     "arbiter_trouble","terms","promotions","times_alone","readmissions","divergences",
///     "states_taken","doubts"},
///  "verifier": {"view","promised","phase","committed","token","commits","view_changes",
///     "divergences","quarantined","refused_messages","last_reason","waiting_for",
///     "suspecting":["executor-1",...],
///     "journal":{"notes","syncs","bytes","longest_sync_us","waiting_notes","waiting_bytes",
///        "oldest_wait_us","space","low","errors","failing","trouble","broken"},
///        "epoch","replaced"},
///  "gateway": {"port","open","primary","outstanding","completed","retries","sessions_lost",
///     "quarantined","writes_refused","low_disks":["node",...],
///     "connections","connections_total","connections_refused","requests",
///     "bytes_in","bytes_out"},
///  "members": {"epoch","start","executors":["n0",...],"verifiers":["n0",...]},
///  "links": [{"peer":"executor-1","connected":true,"queued_bytes":0}, ...],
///  "refused": {"total":3, "by_sender":[{"sender":"executor-1","count":3,"reason":...}, ...]},
///  "refused_frames":..., "refused_connections":...}
/// Parts that the node does not play are absent. A role that has no seat says why in
/// "waiting_for"; the verifier's "phase" is then "joining" or "replaced".
class Node {
 public:
  /// Reads keys and secret from the directory, binds the ports. Errors say which file or port.
  static Result<std::unique_ptr<Node>> create(NodeOptions options);
  ~Node();

  /// Serves until stop(). `on_ready` is called once: a gateway when its session is open, others
  /// when their ports listen.
  void run(const std::function<void()>& on_ready);
  /// From any thread or a signal handler's thread.
  void stop();

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Writes cluster.toml, cluster.secret (0600), one NAME.key (0600) a node and, but for
/// primary-backup, operator.key (0600) into `directory`. Refuses to overwrite. Without an id in
/// `config` one is drawn.
Status write_cluster(const std::filesystem::path& directory, ClusterConfig config,
                     const crypto::Secret& secret = crypto::random_secret());
std::string draw_cluster_id();

/// Reads cluster.toml at `file` and validates it.
Result<ClusterConfig> read_cluster(const std::filesystem::path& file);

}  // namespace eve::runtime
