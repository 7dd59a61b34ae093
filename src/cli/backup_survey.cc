#include "cli/backup_survey.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "cli/backup_witness.h"
#include "cli/node_words.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using runtime::NodeConfig;

bool same_address(const NodeConfig& one, const NodeConfig& other) {
  return one.host == other.host && one.status_port == other.status_port;
}

uint64_t ran_through(const json& executor) {
  return std::max(number_of(executor, "executed"), number_of(executor, "committed"));
}

/// Empty, or why what it says to have run may be less than it had run. Who lost its memory is
/// silent until it is in a view that begins with all that was agreed on; who fetches is not there
/// yet.
std::string why_missing(const Statuses& statuses, const std::string& name) {
  const auto found = statuses.find(name);
  if (found == statuses.end()) return "does not answer";
  const json executor = part_of(found->second, "executor");
  if (!says(executor, "silent", false)) return "is silent until the next view";
  if (!says(executor, "fetching", false)) return "fetches the state";
  if (ran_through(executor) < number_of(part_of(found->second, "members"), "start")) {
    return "does not have what its epoch begins with yet";
  }
  return {};
}

/// The highest that one node says that does not lie.
uint64_t surely_committed(const FaultModel& model, const std::vector<std::string>& names,
                          const char* role, const Statuses& statuses) {
  std::multiset<uint64_t> committed;
  for (const auto& name : names) {
    const auto found = statuses.find(name);
    if (found == statuses.end()) continue;
    committed.insert(number_of(part_of(found->second, role), "committed"));
  }
  return acknowledged_through(std::move(committed), model.r());
}

}  // namespace

std::vector<const NodeConfig*> worth_asking(const runtime::ClusterConfig& cluster,
                                            const NodeConfig& source) {
  std::vector<const NodeConfig*> worth;
  for (const auto* node : cluster.everybody()) {
    if (node->status_port == 0) continue;
    if (same_address(*node, source) && node->name != source.name) continue;
    const auto before = std::find_if(worth.begin(), worth.end(), [&](const NodeConfig* other) {
      return same_address(*node, *other);
    });
    if (before == worth.end()) {
      worth.push_back(node);
    } else if (runtime::joined_in(cluster.model, *node) >
               runtime::joined_in(cluster.model, **before)) {
      *before = node;
    }
  }
  return worth;
}

std::optional<MembersSaid> members_now(const runtime::ClusterConfig& cluster,
                                       const Statuses& statuses) {
  if (cluster.model.is_primary_backup()) {
    MembersSaid members;
    for (const auto& node : cluster.nodes) {
      for (const auto role : node.roles) {
        if (role.role == Role::kExecutor) members.executors.push_back(node.name);
      }
    }
    return members;
  }
  json voices = json::array();
  for (const auto& [name, status] : statuses) voices.push_back(status);
  return members_said(voices, cluster);
}

// A client was answered by an executor that had committed the batch, and for that u+1 executors had
// said its token: they had run it. Of those some are missing now, and some may say less than they
// ran; both together are u at most, so among the others is one that says what it ran. Where few are
// missing more of them are left, and one that is cut off with what it ran alone is not waited for.
Reach reach(const FaultModel& model, const MembersSaid& members, const Statuses& statuses) {
  Reach reach;
  reach.committed = std::max(surely_committed(model, members.executors, "executor", statuses),
                             surely_committed(model, members.verifiers, "verifier", statuses));
  std::vector<uint64_t> ran;
  for (const auto& name : members.executors) {
    if (auto why = why_missing(statuses, name); !why.empty()) {
      reach.missing.emplace(name, std::move(why));
    } else {
      ran.push_back(ran_through(part_of(statuses.at(name), "executor")));
    }
  }
  const auto missing = reach.missing.size();
  reach.known = missing <= model.u() && ran.size() > model.u();
  reach.through = reach.committed;
  if (reach.known) {
    std::sort(ran.begin(), ran.end(), std::greater<>());
    const auto may_lie = std::min<size_t>(model.r(), model.u() - missing);
    const size_t rank = model.u() + 1 - missing - may_lie;
    reach.through = std::max(reach.through, ran[rank - 1]);
  }
  const auto say_so = std::count_if(ran.begin(), ran.end(),
                                    [&](uint64_t number) { return number >= reach.through; });
  reach.vouched = reach.through == reach.committed || say_so > model.r();
  return reach;
}

std::string list_of(const std::map<std::string, std::string>& missing) {
  std::string text;
  for (const auto& [name, why] : missing) text += (text.empty() ? "" : ", ") + name + " " + why;
  return text;
}

}  // namespace eve::cli
