// lying_node --cluster F --node N --lie L: a node of a KV cluster that does one thing wrong. It has
// the node's true key, as an intruder on its machine would. For tests; never installed.
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "runtime/identity.h"
#include "runtime/node.h"
#include "services/kv/service.h"
#include "tests/lying/lies.h"

namespace eve::lying {
namespace {

struct Options {
  std::string cluster;
  std::string directory;
  std::string node;
  std::string lie;
  size_t threads = 1;
};

int failed(const std::string& message) {
  std::fprintf(stderr, "lying_node: %s\n", message.c_str());
  return 1;
}

int serve(runtime::NodeOptions wanted) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto node = runtime::Node::create(std::move(wanted));
  if (!node) return failed(node.message());
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    (*node)->stop();
  });
  (*node)->run([] {
    std::printf("ready\n");
    std::fflush(stdout);
  });
  pthread_kill(stopper.native_handle(), SIGTERM);  // in case run() ended by itself
  stopper.join();
  return 0;
}

int run(const Options& options) {
  auto cluster = runtime::read_cluster(options.cluster);
  if (!cluster) return failed(cluster.message());
  runtime::NodeOptions wanted;
  wanted.cluster = *cluster;
  wanted.node = options.node;
  wanted.directory = options.directory.empty()
                         ? std::filesystem::absolute(options.cluster).parent_path()
                         : std::filesystem::path(options.directory);
  wanted.threads = options.threads;
  const auto* node = cluster->find(options.node);
  if (node == nullptr) return failed("no node \"" + options.node + "\"");
  auto identity = runtime::read_identity(wanted.directory, *node);
  if (!identity) return failed(identity.message());
  const crypto::Digester digester(cluster->digest, identity->secret);
  const auto lie = *parse_lie(options.lie);
  wanted.make_service = distort_service(lie, kv::make_service);
  wanted.rewrite = make_rewrite(lie, cluster->model, digester);
  return serve(std::move(wanted));
}

}  // namespace
}  // namespace eve::lying

int main(int argc, char** argv) {
  eve::lying::Options options;
  CLI::App app{"A node that lies"};
  app.add_option("--cluster", options.cluster)->required();
  app.add_option("--dir", options.directory);
  app.add_option("--node", options.node)->required();
  app.add_option("--lie", options.lie)->required()->check(CLI::IsMember(eve::lying::lie_names()));
  app.add_option("--threads", options.threads);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  return eve::lying::run(options);
}
