// `status`: asks every node of a cluster what it is doing.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/ask_nodes.h"
#include "cli/commands.h"
#include "cli/members_said.h"
#include "cli/node_words.h"
#include "cli/status_notes.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

using nlohmann::json;

struct StatusOptions {
  std::string cluster;
  bool as_json = false;
};

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_structured()) return "-";
  return for_eyes(found->is_string() ? found->get<std::string>() : found->dump());
}

/// The start of a digest, enough to compare by eye.
std::string brief(const json& object, const char* key) {
  return text(object, key).substr(0, 12);
}

void print_line(const std::string& name, const std::string& role, const json& part) {
  std::printf(
      "%-12s %-9s %5s %7s %10s %-12s %-12s %9s %9s %9s %12s  %s\n", name.c_str(), role.c_str(),
      text(part, "view").c_str(), text(part, "primary").c_str(), text(part, "committed").c_str(),
      brief(part, "token").c_str(), brief(part, "state_root").c_str(),
      text(part, "commits").c_str(), text(part, "rollbacks").c_str(),
      text(part, "transfers").c_str(),
      text(part, part.contains("requests") ? "requests" : "completed").c_str(),
      for_eyes(text_of(part, part.contains("waiting_for") ? "waiting_for" : "phase")).c_str());
}

void print_table(const json& nodes) {
  std::printf("%-12s %-9s %5s %7s %10s %-12s %-12s %9s %9s %9s %12s  %s\n", "node", "role", "view",
              "primary", "committed", "token", "state root", "commits", "rollbacks", "transfers",
              "requests", "waiting for");
  for (const auto& node : nodes) {
    const auto name = text(node, "name");
    if (node.contains("error")) {
      std::printf("%-12s does not answer%s: %s\n", name.c_str(),
                  node.contains("replaced") ? ", and was replaced" : "",
                  text(node, "error").c_str());
    }
    for (const char* role : {"executor", "verifier", "gateway"}) {
      if (const json part = part_of(node, role); !part.empty()) print_line(name, role, part);
    }
  }
}

int run_status(const Program& program, const StatusOptions& options) {
  auto cluster = runtime::read_cluster(options.cluster);
  if (!cluster) return fail(program, cluster.message());
  json nodes = ask_everybody(*cluster);
  bool all_answer = true;
  const auto members = members_said(nodes, *cluster);
  for (auto& node : nodes) {
    if (!node.contains("error")) continue;
    // Whoever was replaced is stopped for good.
    const auto* config = cluster->find(text(node, "name"));
    const bool replaced =
        members && config != nullptr && is_replica(*config) && !members->has(config->name);
    if (replaced) node["replaced"] = true;
    all_answer = all_answer && replaced;
  }
  if (options.as_json) {
    std::printf("%s\n", nodes.dump(2).c_str());
  } else {
    print_table(nodes);
    const auto notes = status_notes(nodes);
    if (!notes.empty()) std::printf("\n");
    for (const auto& note : notes) std::printf("%s\n", for_eyes(note).c_str());
  }
  return all_answer ? 0 : 1;
}

}  // namespace

void add_status(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  auto* command = app.add_subcommand(
      "status", "What every node of a cluster is doing; exit status 1 if a member does not answer");
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_flag("--json", options->as_json, "Everything the nodes say, as JSON");
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_status(program, *options); };
  });
}

}  // namespace eve::cli
