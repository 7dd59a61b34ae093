#include "cli/init_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace eve::cli {

void add_init_options(CLI::App& command, InitOptions& options) {
  command.add_option("--dir", options.directory, "Where to write")->required();
  command.add_option("--config", options.config, "bft (nodes may lie), crash, or primary-backup")
      ->check(CLI::IsMember({"bft", "crash", "primary-backup"}))
      ->capture_default_str();
  command.add_option("--u", options.u, "Failures to live through")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  command.add_option("--port", options.ports.port, "Links between nodes")->capture_default_str();
  command.add_option("--status-port", options.ports.status_port, "HTTP status")
      ->capture_default_str();
  command
      .add_option("--service-port", options.ports.service_port,
                  "A gateway on every node, at this port (0: none)")
      ->capture_default_str();
  command.add_flag("--plain", options.plain, "No TLS between nodes (not for bft)");
  add_pair_options(command, options.pair);
}

Result<runtime::ClusterConfig> new_cluster(const InitOptions& options, const std::string& service) {
  auto model = fault_model(options.config, options.u);
  if (!model) return model.error();
  auto config = host_layout(*model, options.hosts, options.ports, service);
  if (!config) return config;
  if (options.plain && model->byzantine()) {
    return Error{"--plain is not for --config bft: where nodes may lie, links use TLS"};
  }
  if (auto status = apply_pair_options(options.pair, *config); !status) {
    return Error{status.message()};
  }
  config->tls = !options.plain;
  return config;
}

void print_serve_lines(const Program& program, const runtime::ClusterConfig& config) {
  for (const auto& node : config.nodes) {
    if (node.port == 0) continue;
    std::printf("  %-12s %s serve --cluster cluster.toml --node %s\n", node.host.c_str(),
                program.name.c_str(), node.name.c_str());
  }
}

void print_operator_line(const Program& program, const runtime::ClusterConfig& config) {
  if (config.model.is_primary_backup()) return;
  std::printf("Keep operator.key here, and on no node: `%s member replace` needs it.\n",
              program.name.c_str());
}

}  // namespace eve::cli
