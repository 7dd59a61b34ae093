#include "cli/status_notes.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using Notes = std::vector<std::string>;

/// Nodes are asked one after the other: those asked later are ahead by what was committed
/// meanwhile. Behind is who lacks more than may be under way.
constexpr uint64_t kUnderWay = limits::kWindow;

std::string join(const std::set<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

std::string name_of(const json& node) {
  return node.value("name", "?");
}

uint64_t last_commit(const json& nodes) {
  uint64_t last = 0;
  for (const auto& node : nodes) {
    for (const char* role : {"executor", "verifier"}) {
      if (node.contains(role)) last = std::max(last, node[role].value("committed", uint64_t{0}));
    }
  }
  return last;
}

void note_behind(const json& nodes, Notes& notes) {
  const auto last = last_commit(nodes);
  for (const auto& node : nodes) {
    for (const char* role : {"executor", "verifier"}) {
      if (!node.contains(role)) continue;
      const auto& part = node[role];
      if (part.value("replaced", false)) {
        notes.push_back(name_of(node) + " (" + role +
                        ") was replaced: " + part.value("waiting_for", std::string()));
        continue;
      }
      const auto committed = part.value("committed", uint64_t{0});
      const bool behind = last > committed + kUnderWay;
      const bool away = part.value("silent", false) || part.value("fetching", false) ||
                        part.value("phase", "normal") != "normal";
      if (!behind && !away) continue;
      std::string note = name_of(node) + " (" + role + ") ";
      note += behind ? "is " + std::to_string(last - committed) + " batches behind" : "is not back";
      const auto waits = part.value("waiting_for", std::string());
      notes.push_back(note + (waits.empty() ? "" : ": waits for " + waits));
    }
  }
}

void note_suspected(const json& nodes, Notes& notes) {
  std::map<std::string, std::set<std::string>> by_primary;
  uint64_t executors = 0;
  for (const auto& node : nodes) {
    if (node.contains("pair")) continue;  // nobody suspects there
    if (node.contains("config")) executors = 2 * node["config"].value("u", uint64_t{0}) + 1;
  }
  for (const auto& node : nodes) {
    if (!node.contains("verifier") || executors == 0) continue;
    const auto& part = node["verifier"];
    const auto primary = part.value("view", uint64_t{0}) % executors;
    for (const auto& who : part.value("suspecting", json::array())) {
      by_primary["executor-" + std::to_string(primary)].insert(who.get<std::string>());
    }
  }
  for (const auto& [primary, who] : by_primary) {
    notes.push_back(primary + " (primary) is suspected by " + join(who) +
                    ": it leaves requests undone, proposed an invalid batch, or has restarted");
  }
}

void note_links(const json& nodes, Notes& notes) {
  std::map<std::string, std::set<std::string>> without;
  std::set<std::string> serving;
  for (const auto& node : nodes) {
    if (!node.contains("error")) serving.insert(name_of(node));
    for (const auto& link : node.value("links", json::array())) {
      if (!link.value("connected", true)) without[link.value("peer", "?")].insert(name_of(node));
    }
  }
  // Native clients come and go; whoever does not answer has a note of its own.
  for (const auto& [peer, who] : without) {
    if (serving.contains(peer)) notes.push_back(peer + " has no link with " + join(who));
  }
}

void note_quarantined(const json& nodes, Notes& notes) {
  uint64_t requests = 0;  // the same ones on every executor
  for (const auto& node : nodes) {
    if (!node.contains("executor")) continue;
    requests = std::max(requests, node["executor"].value("quarantined_requests", uint64_t{0}));
  }
  if (requests == 0) return;
  notes.push_back("quarantined, not executed: " + std::to_string(requests) +
                  ": replicas never agreed on what the service does with such requests");
}

void note_refused(const json& nodes, Notes& notes) {
  for (const auto& node : nodes) {
    const auto refused = node.value("refused", json::object()).value("by_sender", json::array());
    for (const auto& entry : refused) {
      notes.push_back(name_of(node) + " refused " +
                      std::to_string(entry.value("count", uint64_t{0})) + " of " +
                      entry.value("sender", "?") + ", last: " + entry.value("reason", "?"));
    }
  }
}

}  // namespace

std::vector<std::string> status_notes(const json& nodes) {
  Notes notes;
  note_behind(nodes, notes);
  note_suspected(nodes, notes);
  note_links(nodes, notes);
  note_quarantined(nodes, notes);
  note_refused(nodes, notes);
  return notes;
}

}  // namespace eve::cli
