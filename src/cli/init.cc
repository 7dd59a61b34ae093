// `init`: cluster.toml, keys and the secret for separate machines.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/layout.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

struct InitOptions {
  std::string config = "bft";
  uint32_t u = 1;
  std::string service;
  std::string directory;
  std::vector<std::string> hosts;
  HostPorts ports;
  bool plain = false;
  PairOptions pair;
};

int run_init(const Program& program, const InitOptions& options) {
  if (find_service(program, options.service) == nullptr) {
    return fail(program, "unknown service \"" + options.service + "\"");
  }
  auto model = fault_model(options.config, options.u);
  if (!model) return fail(program, model.message());
  auto config = host_layout(*model, options.hosts, options.ports, options.service);
  if (!config) return fail(program, config.message());
  if (options.plain && model->byzantine()) {
    return fail(program, "--plain is not for --config bft: where nodes may lie, links use TLS");
  }
  if (auto status = apply_pair_options(options.pair, *config); !status) {
    return fail(program, status.message());
  }
  config->tls = !options.plain;
  if (auto status = runtime::write_cluster(options.directory, *config); !status) {
    return fail(program, status.message());
  }
  std::printf(
      "wrote %s/cluster.toml, cluster.secret and one NAME.key a node.\n"
      "Copy cluster.toml and cluster.secret to every machine, each NAME.key to its own, then run "
      "there:\n",
      options.directory.c_str());
  for (const auto& node : config->nodes) {
    if (node.port == 0) continue;
    std::printf("  %-12s %s serve --cluster cluster.toml --node %s\n", node.host.c_str(),
                program.name.c_str(), node.name.c_str());
  }
  return 0;
}

}  // namespace

void add_init(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<InitOptions>();
  options->service = program.services.front().name;
  auto* command = app.add_subcommand("init", "Write cluster.toml and keys for separate machines");
  command->add_option("--dir", options->directory, "Where to write")->required();
  command
      ->add_option("--host", options->hosts,
                   "Address of a machine; once for each verifier (primary-backup: "
                   "executor)")
      ->required();
  command->add_option("--config", options->config, "bft (nodes may lie), crash, or primary-backup")
      ->check(CLI::IsMember({"bft", "crash", "primary-backup"}))
      ->capture_default_str();
  command->add_option("--u", options->u, "Failures to live through")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  command->add_option("--service", options->service, "What to replicate")
      ->check(CLI::IsMember(service_names(program)))
      ->capture_default_str();
  command->add_option("--port", options->ports.port, "Links between nodes")->capture_default_str();
  command->add_option("--status-port", options->ports.status_port, "HTTP status")
      ->capture_default_str();
  command
      ->add_option("--service-port", options->ports.service_port,
                   "A gateway on every node, at this port (0: none)")
      ->capture_default_str();
  command->add_flag("--plain", options->plain, "No TLS between nodes (not for bft)");
  add_pair_options(*command, options->pair);
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_init(program, *options); };
  });
}

}  // namespace eve::cli
