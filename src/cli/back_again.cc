#include "cli/back_again.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/backup_witness.h"
#include "cli/members_said.h"
#include "cli/node_words.h"

namespace eve::cli {

using nlohmann::json;

uint64_t committed_in(const json& status) {
  return std::max(number_of(part_of(status, "executor"), "committed"),
                  number_of(part_of(status, "verifier"), "committed"));
}

namespace {

/// A role that takes part, or may at the next view.
bool is_there(const json& role) {
  if (role.empty() || says(role, "replaced", true)) return false;
  for (const char* away : {"learning", "recovering", "joining", "replaced", "stopped"}) {
    if (says(role, "phase", away)) return false;
  }
  return true;
}

bool plays(const runtime::NodeConfig& node, Role role) {
  return std::any_of(node.roles.begin(), node.roles.end(),
                     [role](Address address) { return address.role == role; });
}

/// By what the members say; where too few do, by cluster.toml.
bool sits(const runtime::ClusterConfig& cluster, const std::optional<MembersSaid>& members,
          const runtime::NodeConfig& node, Role role) {
  if (!members) return plays(node, role) && runtime::joined_in(cluster.model, node) == 0;
  const auto& names = role == Role::kExecutor ? members->executors : members->verifiers;
  return std::find(names.begin(), names.end(), node.name) != names.end();
}

/// Of primary-backup, where one replica leads, maybe alone, or both are in sync.
std::string pair_trouble(const json& pair) {
  if (says(pair, "leading", true) || says(pair, "both_in_sync", true)) return {};
  return "it does not lead, and the record does not name both replicas as in sync";
}

std::string executor_trouble(const json& executor, const json& pair, uint64_t highest) {
  if (executor.empty()) return {};
  if (!says(executor, "silent", false)) return "its executor is silent until the next view";
  if (!says(executor, "fetching", false)) return "its executor fetches the state";
  if (!pair.empty()) {
    if (auto why = pair_trouble(pair); !why.empty()) return why;
    // The one that leads decides what was committed.
    if (says(pair, "leading", true)) return {};
  }
  const auto committed = number_of(executor, "committed");
  if (highest <= kNearlyThere || committed >= highest - kNearlyThere) return {};
  return "its executor has batch " + std::to_string(committed) + " of " + std::to_string(highest);
}

/// One that is in the view votes on the next batch, and learns of those before it then: while
/// nobody asks for anything it may lack many.
std::string verifier_trouble(const json& verifier) {
  if (verifier.empty() || says(verifier, "phase", "normal")) return {};
  const auto phase = text_of(verifier, "phase");
  return "its verifier is " + (phase.empty() ? "not ready" : phase);
}

}  // namespace

Elsewhere look_elsewhere(const runtime::ClusterConfig& cluster, const std::string& node,
                         const json& statuses) {
  const auto members = members_said(statuses, cluster);
  std::multiset<uint64_t> committed;
  uint32_t executors = 0;
  uint32_t verifiers = 0;
  for (const auto& status : statuses) {
    const auto* other = cluster.find(text_of(status, "name"));
    if (other == nullptr || other->name == node) continue;
    const bool executes =
        sits(cluster, members, *other, Role::kExecutor) && is_there(part_of(status, "executor"));
    const bool verifies =
        sits(cluster, members, *other, Role::kVerifier) && is_there(part_of(status, "verifier"));
    executors += executes ? 1 : 0;
    verifiers += verifies ? 1 : 0;
    if (executes || verifies) committed.insert(committed_in(status));
  }
  const auto& model = cluster.model;
  Elsewhere elsewhere{acknowledged_through(committed, model.r()), {}};
  const auto* self = cluster.find(node);
  if (model.is_primary_backup() || self == nullptr || !is_replica(*self)) return elsewhere;
  const uint32_t need_executors =
      model.token_certificate() - (plays(*self, Role::kExecutor) ? 1 : 0);
  const uint32_t need_verifiers = model.agreement() - (plays(*self, Role::kVerifier) ? 1 : 0);
  if (executors >= need_executors && verifiers >= need_verifiers) return elsewhere;
  elsewhere.too_few = "of the others " + std::to_string(executors) + " executors and " +
                      std::to_string(verifiers) + " verifiers answer, and " +
                      std::to_string(need_executors) + " and " + std::to_string(need_verifiers) +
                      " are needed for a quorum with it: start them; while they are gone nobody "
                      "can say what it lacks";
  return elsewhere;
}

std::string why_not_back(const json& status, uint64_t highest) {
  const json executor = part_of(status, "executor");
  const json verifier = part_of(status, "verifier");
  const json gateway = part_of(status, "gateway");
  if (executor.empty() && verifier.empty() && gateway.empty()) return "it says nothing of itself";
  for (const json& role : {executor, verifier}) {
    if (says(role, "replaced", true)) return "another node has taken its seat: stop it for good";
    const auto trouble = role.find("cannot_begin");
    if (trouble != role.end() && trouble->is_string() && *trouble != "") return *trouble;
  }
  if (auto why = executor_trouble(executor, part_of(status, "pair"), highest); !why.empty()) {
    return why;
  }
  if (auto why = verifier_trouble(verifier); !why.empty()) return why;
  if (!gateway.empty() && !says(gateway, "open", true)) return "its gateway has no session yet";
  return {};
}

}  // namespace eve::cli
