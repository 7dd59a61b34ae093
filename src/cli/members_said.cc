#include "cli/members_said.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/node_words.h"

namespace eve::cli {
namespace {

using nlohmann::json;

std::optional<std::vector<std::string>> names_in(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& name : *found) {
    if (!name.is_string()) return std::nullopt;
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace

bool MembersSaid::has(const std::string& name) const {
  const auto in = [&name](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return in(executors) || in(verifiers);
}

std::optional<MembersSaid> members_in(const json& status) {
  if (!status.is_object()) return std::nullopt;
  const auto members = status.find("members");
  if (members == status.end() || !members->is_object()) return std::nullopt;
  const auto epoch = members->find("epoch");
  auto executors = names_in(*members, "executors");
  auto verifiers = names_in(*members, "verifiers");
  if (epoch == members->end() || !epoch->is_number_unsigned()) return std::nullopt;
  if (!executors || !verifiers) return std::nullopt;
  return MembersSaid{epoch->get<uint64_t>(), std::move(*executors), std::move(*verifiers)};
}

bool is_replica(const runtime::NodeConfig& node) {
  return std::any_of(node.roles.begin(), node.roles.end(),
                     [](Address role) { return role.role != Role::kClient; });
}

std::optional<MembersSaid> members_said(const json& statuses,
                                        const runtime::ClusterConfig& cluster) {
  std::vector<std::pair<MembersSaid, uint32_t>> all;
  for (const auto& status : statuses) {
    const auto said = members_in(status);
    const auto* node = cluster.find(text_of(status, "name"));
    if (!said || node == nullptr || !is_replica(*node) || !said->has(node->name)) continue;
    const auto same = std::find_if(all.begin(), all.end(),
                                   [&](const auto& entry) { return entry.first == *said; });
    if (same == all.end()) {
      all.emplace_back(*said, 1);
    } else {
      ++same->second;
    }
  }
  std::optional<MembersSaid> latest;
  for (const auto& [said, voices] : all) {
    if (voices > cluster.model.r() && (!latest || said.epoch > latest->epoch)) latest = said;
  }
  return latest;
}

}  // namespace eve::cli
