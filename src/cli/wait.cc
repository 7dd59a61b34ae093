// `wait`: until a node that was restarted counts again, for rolling restarts.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "cli/back_again.h"
#include "cli/backup_witness.h"
#include "cli/commands.h"
#include "runtime/http_get.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kAskMs = 1'500;
constexpr auto kPollEvery = std::chrono::milliseconds(100);

struct WaitOptions {
  std::string cluster;
  std::string node;
  uint32_t timeout_s = 120;
};

json ask(const runtime::NodeConfig& node) {
  auto body = runtime::http_get(node.host, node.status_port, "/status", kAskMs);
  return body ? json::parse(*body, nullptr, false) : json();
}

/// What the others have committed; r of them may boast.
uint64_t highest_of_others(const runtime::ClusterConfig& cluster, const std::string& node) {
  std::multiset<uint64_t> committed;
  for (const auto* other : cluster.everybody()) {
    if (other->name == node || other->status_port == 0) continue;
    if (const auto number = committed_in(ask(*other)); number > 0) committed.insert(number);
  }
  return acknowledged_through(committed, cluster.model.r());
}

int run_wait(const Program& program, const WaitOptions& options) {
  const auto cluster = runtime::read_cluster(options.cluster);
  if (!cluster) return fail(program, cluster.message());
  const auto* node = cluster->find(options.node);
  if (node == nullptr || node->status_port == 0) {
    return fail(program, options.cluster + " has no node \"" + options.node + "\" with a status");
  }
  const auto end = Clock::now() + std::chrono::seconds(options.timeout_s);
  for (;;) {
    const auto others = highest_of_others(*cluster, options.node);
    const auto status = ask(*node);
    const auto why = status.is_object() ? why_not_back(status, others) : "it does not answer";
    if (why.empty()) return 0;
    if (Clock::now() >= end) {
      return fail(program, "\"" + options.node + "\" does not count again after " +
                               std::to_string(options.timeout_s) + " s: " + why);
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

}  // namespace

void add_wait(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<WaitOptions>();
  auto* command = app.add_subcommand(
      "wait", "Until a node that was restarted counts again; exit status 1 if it does not");
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_option("--node", options->node, "Its name in it")->required();
  command->add_option("--timeout", options->timeout_s, "Seconds")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_wait(program, *options); };
  });
}

}  // namespace eve::cli
