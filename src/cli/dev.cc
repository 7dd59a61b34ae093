// `dev`: a whole cluster on this machine, one operating-system process a node.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/dev_cluster.h"
#include "cli/headroom.h"

namespace eve::cli {
namespace {

int run_dev(const Program& program, const DevOptions& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGCHLD);
  std::signal(SIGCHLD, SIG_DFL);  // whoever started us may have had it ignored: nothing to wait for
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  auto cluster = DevCluster::start(program, options);
  if (!cluster) return fail(program, cluster.message());
  std::printf("%s\n", (*cluster)->ready_line().c_str());
  std::fflush(stdout);
  int signal = 0;
  do {
    // First: a child may have ended while the others were started.
    for (const auto& line : (*cluster)->who_ended()) fail(program, line);
    sigwait(&signals, &signal);
  } while (signal == SIGCHLD);
  (*cluster)->stop();
  return 0;
}

}  // namespace

bool DevOptions::given(const char* option) const {
  return parsed != nullptr && parsed->count(option) > 0;
}

void add_dev_options(CLI::App& command, const Program& program, DevOptions& options) {
  options.parsed = &command;
  command.add_option("--config", options.config, "bft (nodes may lie), crash, or primary-backup")
      ->check(CLI::IsMember({"bft", "crash", "primary-backup"}))
      ->capture_default_str();
  command.add_option("--u", options.u, "Failures to live through")
      ->check(CLI::Range(1, 10))
      ->capture_default_str();
  command.add_option("--service", options.service, "What to replicate")
      ->check(CLI::IsMember(service_names(program)))
      ->capture_default_str();
  command.add_option("--port", options.port, "Where the service's clients connect (0: no gateway)")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "Workers of each executor (0: the cores, shared among the executors)")
      ->check(CLI::Range(size_t{0}, kMaxThreads))
      ->capture_default_str();
  command
      .add_option("--layout", options.layout,
                  "split: a process for each executor, verifier and gateway; joint: executor i "
                  "and verifier i share one")
      ->check(CLI::IsMember({"split", "joint"}))
      ->capture_default_str();
  command.add_option(
      "--dir", options.directory,
      "Configuration, keys, node state (default: a temporary folder). A cluster that "
      "is kept there goes on as it was made: options that say otherwise are refused");
  command.add_option("--nodes-out", options.nodes_out, "Write the nodes there, as JSON");
  command
      .add_option("--durability", options.durability,
                  "What survives in --dir: sync (a power failure), async (kill -9), memory")
      ->capture_default_str();
  add_headroom_option(command, options.headroom_mib);
  add_checkpoint_option(command, options.checkpoint_mib);
  add_pair_options(command, options.pair);
}

void add_dev(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<DevOptions>();
  options->service = program.services.front().name;
  auto* command = app.add_subcommand("dev", "Run a whole cluster on this machine");
  add_dev_options(*command, program, *options);
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_dev(program, *options); };
  });
}

}  // namespace eve::cli
