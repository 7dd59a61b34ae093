// Options and start of one node's process, shared by `serve` and by what starts it.
#pragma once

#include <cstdint>
#include <string>

#include "cli/program.h"
#include "durability/keeper.h"
#include "eve/result.h"

namespace CLI {
class App;
}

namespace eve::cli {

/// The log is so long, at least, before a checkpoint is taken.
inline constexpr uint64_t kCheckpointMib = 64;
inline constexpr uint64_t kMaxCheckpointMib = uint64_t{1} << 20;

struct ServeOptions {
  std::string cluster;  ///< path of cluster.toml
  std::string node;
  std::string directory;  ///< keys and the node's own state; empty: cluster's folder
  size_t threads = 0;     ///< 0: one a core
  std::string durability = "sync";
  uint64_t headroom_mib = 1024;  ///< less free on its disk is low
  uint64_t checkpoint_mib = kCheckpointMib;
  int ready_fd = -1;  ///< "ready\n" is written there
};

/// Serves until SIGINT or SIGTERM.
int run_serve(const Program& program, const ServeOptions& options);

/// --checkpoint-mib
void add_checkpoint_option(CLI::App& command, uint64_t& mib);
/// "sync", "async" or "memory".
Result<durability::Durability> parse_durability(const std::string& text);

}  // namespace eve::cli
