#include "cli/back_again.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/node_words.h"

namespace eve::cli {

using nlohmann::json;

uint64_t committed_in(const json& status) {
  return std::max(number_of(part_of(status, "executor"), "committed"),
                  number_of(part_of(status, "verifier"), "committed"));
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
  if (!executor.empty()) {
    if (!says(executor, "silent", false)) return "its executor is silent until the next view";
    if (!says(executor, "fetching", false)) return "its executor fetches the state";
    const auto committed = number_of(executor, "committed");
    if (committed + kNearlyThere < highest) {
      return "its executor has batch " + std::to_string(committed) + " of " +
             std::to_string(highest);
    }
  }
  if (!verifier.empty() && !says(verifier, "phase", "normal")) {
    const auto phase = verifier.find("phase");
    const bool text = phase != verifier.end() && phase->is_string();
    return "its verifier is " + (text ? phase->get<std::string>() : std::string("not ready"));
  }
  if (!gateway.empty() && !says(gateway, "open", true)) return "its gateway has no session yet";
  return {};
}

}  // namespace eve::cli
