#include "cli/ask_nodes.h"

#include <future>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/node_words.h"
#include "runtime/http_get.h"

namespace eve::cli {

using nlohmann::json;

json ask_status(const runtime::NodeConfig& node, int timeout_ms) {
  const auto error = [&node](const std::string& what) {
    return json{{"name", node.name}, {"error", what}};
  };
  if (node.status_port == 0) return error("it has no status_port");
  const auto body = runtime::http_get(node.host, node.status_port, "/status", timeout_ms);
  if (!body) return error(body.message());
  auto said = parse_words(*body);
  if (!said.is_object()) return error("answered no JSON");
  const auto name = text_of(said, "name");
  if (name != node.name) {
    return error("another node answers at its status port" +
                 (name.empty() ? "" : ": " + for_eyes(name)));
  }
  // These are said of a node, and not by it.
  said.erase("error");
  said.erase("replaced");
  return said;
}

json ask_everybody(const runtime::ClusterConfig& cluster, int timeout_ms) {
  std::vector<std::future<json>> answers;
  for (const auto* node : cluster.everybody()) {
    if (node->status_port == 0) continue;
    answers.push_back(std::async(std::launch::async,
                                 [node, timeout_ms] { return ask_status(*node, timeout_ms); }));
  }
  json statuses = json::array();
  for (auto& answer : answers) statuses.push_back(answer.get());
  return statuses;
}

}  // namespace eve::cli
