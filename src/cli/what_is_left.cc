#include "cli/what_is_left.h"

#include <algorithm>

namespace eve::cli {
namespace {

size_t count(const std::vector<const runtime::NodeConfig*>& nodes, Role role) {
  size_t found = 0;
  for (const auto* node : nodes) {
    found += static_cast<size_t>(std::count_if(node->roles.begin(), node->roles.end(),
                                               [&](Address a) { return a.role == role; }));
  }
  return found;
}

std::string of(size_t down, uint32_t all, const char* what) {
  return std::to_string(down) + " of " + std::to_string(all) + " " + what;
}

}  // namespace

std::string what_is_left(const runtime::ClusterConfig& cluster,
                         const std::vector<const runtime::NodeConfig*>& down) {
  const auto& model = cluster.model;
  const auto executors = count(down, Role::kExecutor);
  const auto verifiers = count(down, Role::kVerifier);
  const auto missing = "down are " + of(executors, model.executors(), "executors") + " and " +
                       of(verifiers, model.verifiers(), "verifiers");
  const auto may = std::to_string(model.u()) + " of each may fail";
  std::string text;
  if (model.is_primary_backup()) {
    const auto which = "down are " + of(executors, model.executors(), "executors");
    if (executors > 1) text = "The service has stopped: " + which + ".";
    if (executors == 1) {
      text = "The service goes on if the other executor was in sync (`status`): " + which + ".";
    }
  } else if (executors > model.u() || verifiers > model.u()) {
    text = "The service has stopped until more of them run: " + missing + ", " + may + ".";
  } else if (executors + verifiers > 0) {
    text = "The service goes on: " + missing + ", " + may + ".";
  }
  const bool gateway = std::any_of(down.begin(), down.end(),
                                   [](const auto* node) { return node->service_port != 0; });
  if (!gateway) return text;
  return "Clients of a gateway that is down are turned away." + (text.empty() ? "" : " " + text);
}

}  // namespace eve::cli
