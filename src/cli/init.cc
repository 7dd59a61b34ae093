// `init`: cluster.toml, keys and the secret for separate machines.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/init_options.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

int run_init(const Program& program, const InitOptions& options, const std::string& service) {
  if (find_service(program, service) == nullptr) {
    return fail(program, "unknown service \"" + service + "\"");
  }
  const auto config = new_cluster(options, service);
  if (!config) return fail(program, config.message());
  if (auto status = runtime::write_cluster(options.directory, *config); !status) {
    return fail(program, status.message());
  }
  std::printf(
      "wrote %s/cluster.toml, cluster.secret and one NAME.key a node.\n"
      "Copy cluster.toml and cluster.secret to every machine, each NAME.key to its own, then run "
      "there:\n",
      options.directory.c_str());
  print_serve_lines(program, *config);
  print_operator_line(program, *config);
  return 0;
}

}  // namespace

void add_init(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<InitOptions>();
  auto service = std::make_shared<std::string>(program.services.front().name);
  auto* command = app.add_subcommand("init", "Write cluster.toml and keys for separate machines");
  command
      ->add_option("--host", options->hosts,
                   "Address of a machine; once for each verifier (primary-backup: "
                   "executor)")
      ->required();
  add_init_options(*command, *options);
  command->add_option("--service", *service, "What to replicate")
      ->check(CLI::IsMember(service_names(program)))
      ->capture_default_str();
  command->callback([&program, &action, options, service] {
    action = [&program, options, service] { return run_init(program, *options, *service); };
  });
}

}  // namespace eve::cli
