// A cluster of child processes on loopback: what `dev` and `bench` run.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/layout.h"
#include "cli/node_process.h"
#include "cli/process.h"
#include "cli/program.h"
#include "eve/result.h"
#include "runtime/cluster_config.h"
#include "runtime/descriptor.h"

namespace CLI {
class App;
}

namespace eve::cli {

struct DevOptions {
  std::string config = "bft";
  uint32_t u = 1;
  std::string service;
  uint16_t port = 6379;
  size_t threads = 0;
  std::string layout = "split";
  std::string directory;
  std::string nodes_out;
  std::string durability = "memory";
  uint64_t headroom_mib = 1024;  ///< as of ServeOptions
  uint64_t checkpoint_mib = kCheckpointMib;
  PairOptions pair;
  const CLI::App* parsed = nullptr;  ///< the command whose options these are; null: all defaults

  bool given(const char* option) const;
};

/// Has `dev` take the folder for one of its own whose nodes keep their state.
void mark_as_made_by_dev(const std::filesystem::path& directory);
/// As if it had not been marked.
void unmark_as_made_by_dev(const std::filesystem::path& directory);

void add_dev_options(CLI::App& command, const Program& program, DevOptions& options);

class DevCluster {
 public:
  /// Writes the configuration, starts every node, and waits until all serve.
  static Result<std::unique_ptr<DevCluster>> start(const Program& program,
                                                   const DevOptions& options);
  /// Stops what still runs and removes a temporary folder.
  ~DevCluster();
  void stop();
  /// Nodes that have ended by themselves since the last time, and what that means for the service:
  /// a line to read for each. Blocks for kAskMs at most a node that is down.
  std::vector<std::string> who_ended();

  /// "ready: kv on 127.0.0.1:6379" (without a gateway: how to connect), then where cluster.toml is.
  std::string ready_line() const;
  const runtime::ClusterConfig& config() const { return config_; }
  const std::vector<ChildProcess>& children() const { return children_; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  DevCluster() = default;
  Status prepare(const Program& program, const DevOptions& options);
  Status take_directory(const std::string& wanted);
  Status empty_directory();
  Status go_on(const Program& program, const DevOptions& options);
  Status start_nodes(const DevOptions& options);
  bool answers(const runtime::NodeConfig& node) const;
  Status write_nodes(const std::string& file) const;

  runtime::ClusterConfig config_;
  std::vector<ChildProcess> children_;
  std::set<std::string> ended_;  ///< children that were reaped; may serve again, started by hand
  std::filesystem::path directory_;
  bool temporary_ = false;
  std::string durability_;
  bool lasting_ = false;      ///< its nodes keep their state
  bool goes_on_ = false;      ///< with what an earlier one has kept
  runtime::Descriptor lock_;  ///< of the folder, as long as the cluster runs
};

}  // namespace eve::cli
