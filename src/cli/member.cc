// `member`: who the replicas of a cluster are, and another one in the place of one
// (docs/membership.md).
#include "cli/member.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/ask_nodes.h"
#include "cli/members_said.h"
#include "cli/node_words.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string how_it_is(const json& statuses, const MembersSaid& members, const std::string& name) {
  for (const auto& status : statuses) {
    if (!says(status, "name", name)) continue;
    if (status.contains("error")) return "does not answer: " + text_of(status, "error");
    const auto said = members_in(status);
    if (!said) return "answers, and says nothing of members";
    if (said->epoch == members.epoch) return "answers";
    return "answers; it is in epoch " + std::to_string(said->epoch);
  }
  return "is not in this cluster.toml: copy that again from where the members were changed";
}

std::vector<std::string> replaced(const runtime::ClusterConfig& cluster,
                                  const MembersSaid& members) {
  std::vector<std::string> names;
  for (const auto* node : cluster.everybody()) {
    if (is_replica(*node) && !members.has(node->name)) names.push_back(node->name);
  }
  return names;
}

void print_table(const runtime::ClusterConfig& cluster, const json& statuses,
                 const MembersSaid& members) {
  std::printf("epoch %llu\n%-13s %-20s %6s  %s\n", static_cast<unsigned long long>(members.epoch),
              "seat", "node", "since", "");
  const auto line = [&](const std::string& seat, const std::string& name) {
    const auto* node = cluster.find(name);
    const auto since =
        node != nullptr ? std::to_string(runtime::joined_in(cluster.model, *node)) : "?";
    std::printf("%-13s %-20s %6s  %s\n", seat.c_str(), name.c_str(), since.c_str(),
                how_it_is(statuses, members, name).c_str());
  };
  for (size_t i = 0; i < members.executors.size(); ++i) {
    line(to_string(Address::executor(i)), members.executors[i]);
  }
  for (size_t i = 0; i < members.verifiers.size(); ++i) {
    line(to_string(Address::verifier(i)), members.verifiers[i]);
  }
  for (const auto& name : replaced(cluster, members)) {
    std::printf("%-13s %-20s\n", "(replaced)", name.c_str());
  }
}

}  // namespace

int run_member_list(const Program& program, const MemberListOptions& options) {
  const auto cluster = runtime::read_cluster(options.cluster);
  if (!cluster) return fail(program, cluster.message());
  if (cluster->model.is_primary_backup()) {
    return fail(program, "the members of a primary-backup cluster stay the same: see cluster.toml");
  }
  const auto statuses = ask_everybody(*cluster);
  const auto members = members_said(statuses, *cluster);
  if (!members) {
    return fail(program, "too few nodes say who the members are (" +
                             std::to_string(cluster->model.vouched()) +
                             " have to say the same): do they run, and this release?");
  }
  if (options.as_json) {
    const ordered_json all = {{"epoch", members->epoch},
                              {"executors", members->executors},
                              {"verifiers", members->verifiers},
                              {"replaced", replaced(*cluster, *members)}};
    std::printf("%s\n", all.dump(2).c_str());
  } else {
    print_table(*cluster, statuses, *members);
  }
  return 0;
}

namespace {

void add_replace(CLI::App& member, const Program& program, Action& action) {
  auto options = std::make_shared<ReplaceOptions>();
  auto* command = member.add_subcommand(
      "replace", "Another node takes the place of one, for good; needs operator.key");
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_option("--node", options->node, "The one that leaves")->required();
  command->add_option("--with", options->with, "A new name, for the one that comes")->required();
  command->add_option("--host", options->host, "Where that will run")->required();
  command->add_option("--port", options->port, "Its links (default: that of the one that leaves)")
      ->check(CLI::Range(1, 65535));
  command->add_option("--status-port", options->status_port, "Its HTTP status (default: likewise)")
      ->check(CLI::Range(1, 65535));
  command->add_flag("--dry-run", options->dry_run,
                    "Say which quorums there are before and after, and change nothing; exit "
                    "status 1 if one is missing");
  command->add_flag("--force", options->force, "Although a quorum is missing");
  command->add_flag("--learn-first", options->learn_first,
                    "Announce the new node, wait until it runs and is level, then make the change");
  command->add_option("--timeout", options->timeout_s, "Seconds")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_member_replace(program, *options); };
  });
}

void add_list(CLI::App& member, const Program& program, Action& action) {
  auto options = std::make_shared<MemberListOptions>();
  auto* command = member.add_subcommand("list", "Who the replicas are, by what the nodes say");
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_flag("--json", options->as_json, "The same, as JSON");
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_member_list(program, *options); };
  });
}

}  // namespace

void add_member(CLI::App& app, const Program& program, Action& action) {
  auto* command = app.add_subcommand("member", "Who the replicas of a cluster are; replace one");
  command->require_subcommand(1);
  add_replace(*command, program, action);
  add_list(*command, program, action);
}

}  // namespace eve::cli
