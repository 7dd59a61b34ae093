// What `init` and `restore` know of a new cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/layout.h"
#include "cli/program.h"

namespace eve::cli {

struct InitOptions {
  std::string config = "bft";
  uint32_t u = 1;
  std::string directory;
  std::vector<std::string> hosts;
  HostPorts ports;
  bool plain = false;
  PairOptions pair;
};

/// All but --host, which not everybody requires.
void add_init_options(CLI::App& command, InitOptions& options);
/// One on separate machines.
Result<runtime::ClusterConfig> new_cluster(const InitOptions& options, const std::string& service);
/// How to start its nodes, a line for each.
void print_serve_lines(const Program& program, const runtime::ClusterConfig& config);
/// What operator.key is for, where there is one.
void print_operator_line(const Program& program, const runtime::ClusterConfig& config);

}  // namespace eve::cli
