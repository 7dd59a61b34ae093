// `wait`: until a node that was restarted counts again, for rolling restarts.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/ask_nodes.h"
#include "cli/back_again.h"
#include "cli/commands.h"
#include "cli/node_words.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// What nodes that are well may take to answer, however little time is left.
constexpr int kLeastMs = 250;
constexpr auto kPollEvery = std::chrono::milliseconds(100);

struct WaitOptions {
  std::string cluster;
  std::string node;
  uint32_t timeout_s = 120;
};

/// What the node lacks, as far as it and the others say within so long; empty: it counts.
std::string look(const runtime::ClusterConfig& cluster, const std::string& node, int timeout_ms) {
  const auto statuses = ask_everybody(cluster, timeout_ms);
  const auto own = std::find_if(statuses.begin(), statuses.end(),
                                [&](const json& status) { return says(status, "name", node); });
  if (own->contains("error")) return "it does not answer: " + text_of(*own, "error");
  const auto others = look_elsewhere(cluster, node, statuses);
  const auto why = why_not_back(*own, others.committed);
  return why.empty() ? others.too_few : for_eyes(why);
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
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    const auto why = look(*cluster, options.node,
                          static_cast<int>(std::clamp<int64_t>(left, kLeastMs, kAskStatusMs)));
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
