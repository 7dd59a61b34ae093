// `serve`: one node, until SIGINT or SIGTERM.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/headroom.h"
#include "cli/node_process.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

/// Blocks the signals that end a process, so that one thread can wait for them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<runtime::NodeOptions> node_options(const Program& program, const ServeOptions& options) {
  auto cluster = runtime::read_cluster(options.cluster);
  if (!cluster) return cluster.error();
  const auto* service = find_service(program, cluster->service);
  if (service == nullptr) {
    return Error{options.cluster + " is for service \"" + cluster->service +
                 "\", which this program does not have"};
  }
  runtime::NodeOptions node;
  node.cluster = std::move(*cluster);
  node.node = options.node;
  node.directory = options.directory.empty()
                       ? std::filesystem::absolute(options.cluster).parent_path()
                       : std::filesystem::path(options.directory);
  node.threads =
      options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  node.make_service = service->make;
  return node;
}

void report_ready(const std::string& node, int fd) {
  if (fd < 0) {
    std::printf("ready: %s\n", node.c_str());
    std::fflush(stdout);
    return;
  }
  if (write(fd, "ready\n", 6) != 6) return;  // whoever waited has gone: nothing depends on it
  close(fd);
}

}  // namespace

Result<durability::Durability> parse_durability(const std::string& text) {
  if (text == "sync") return durability::Durability::kSync;
  if (text == "async") return durability::Durability::kAsync;
  if (text == "memory") return durability::Durability::kMemory;
  return Error{"unknown --durability \"" + text + "\": sync, async or memory"};
}

void add_checkpoint_option(CLI::App& command, uint64_t& mib) {
  command
      .add_option("--checkpoint-mib", mib,
                  "Take a checkpoint when the log since the last one is so long, and longer than "
                  "the state")
      ->check(CLI::Range(uint64_t{1}, kMaxCheckpointMib))
      ->capture_default_str();
}

int run_serve(const Program& program, const ServeOptions& options) {
  const auto durability = parse_durability(options.durability);
  if (!durability) return fail(program, durability.message());
  auto signals = block_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  auto node_opts = node_options(program, options);
  if (!node_opts) return fail(program, node_opts.message());
  std::unique_ptr<runtime::FrontEndFactory> front_end;
  const auto* service = find_service(program, node_opts->cluster.service);
  if (service->make_front_end) front_end = service->make_front_end();
  node_opts->front_end = front_end.get();
  node_opts->durability = *durability;
  node_opts->headroom_bytes = options.headroom_mib << 20;
  node_opts->checkpoint.least_log_bytes = options.checkpoint_mib << 20;
  auto node = runtime::Node::create(std::move(*node_opts));
  if (!node) return fail(program, node.message());
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    (*node)->stop();
  });
  (*node)->run([&] { report_ready(options.node, options.ready_fd); });
  pthread_kill(stopper.native_handle(), SIGTERM);  // in case run() ended by itself
  stopper.join();
  return 0;
}

void add_serve(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<ServeOptions>();
  auto* command = app.add_subcommand("serve", "Run one node of a cluster");
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_option("--node", options->node, "This node's name in it")->required();
  command->add_option("--dir", options->directory,
                      "Keys and this node's state (default: the folder of cluster.toml)");
  command
      ->add_option("--threads", options->threads, "Workers of the execution stage (0: all cores)")
      ->check(CLI::Range(size_t{0}, kMaxThreads))
      ->capture_default_str();
  command
      ->add_option("--durability", options->durability,
                   "What survives: sync (a power failure), async (kill -9), memory (nothing)")
      ->capture_default_str();
  add_headroom_option(*command, options->headroom_mib);
  add_checkpoint_option(*command, options->checkpoint_mib);
  command->add_option("--ready-fd", options->ready_fd, "Write a line there when serving");
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_serve(program, *options); };
  });
}

}  // namespace eve::cli
