#include "cli/status_notes.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/limits.h"
#include "cli/node_words.h"

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
  const auto name = text_of(node, "name");
  return name.empty() ? "?" : name;
}

/// As text_of(), for a place that cannot be empty.
std::string word_of(const json& object, const char* key) {
  const auto word = text_of(object, key);
  return word.empty() ? "?" : word;
}

uint64_t last_commit(const json& nodes) {
  uint64_t last = 0;
  for (const auto& node : nodes) {
    for (const char* role : {"executor", "verifier"}) {
      last = std::max(last, number_of(part_of(node, role), "committed"));
    }
  }
  return last;
}

/// Of one role; empty where all is well.
std::string note_of(const json& part, uint64_t last) {
  const auto waits = text_of(part, "waiting_for");
  if (says(part, "replaced", true)) return "was replaced: " + waits;
  const auto lacks = last - number_of(part, "committed");
  const bool behind = lacks > kUnderWay;
  const bool away = says(part, "silent", true) || says(part, "fetching", true) ||
                    (part.contains("phase") && !says(part, "phase", "normal"));
  if (!behind && !away) return {};
  const auto note = behind ? "is " + std::to_string(lacks) + " batches behind" : "is not back";
  return note + (waits.empty() ? "" : ": waits for " + waits);
}

void note_behind(const json& nodes, Notes& notes) {
  const auto last = last_commit(nodes);
  for (const auto& node : nodes) {
    for (const char* role : {"executor", "verifier"}) {
      const json part = part_of(node, role);
      if (part.empty()) continue;
      const auto note = note_of(part, last);
      if (!note.empty()) notes.push_back(name_of(node) + " (" + role + ") " + note);
    }
  }
}

void note_suspected(const json& nodes, Notes& notes) {
  std::map<std::string, std::set<std::string>> by_primary;
  uint64_t executors = 0;
  for (const auto& node : nodes) {
    if (!part_of(node, "pair").empty()) continue;  // nobody suspects there
    if (const json config = part_of(node, "config"); !config.empty()) {
      executors = 2 * number_of(config, "u") + 1;
    }
  }
  for (const auto& node : nodes) {
    const json part = part_of(node, "verifier");
    if (part.empty() || executors == 0) continue;
    const auto primary = number_of(part, "view") % executors;
    for (const auto& who : list_of(part, "suspecting")) {
      if (!who.is_string()) continue;
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
    for (const auto& link : list_of(node, "links")) {
      if (says(link, "connected", false)) without[word_of(link, "peer")].insert(name_of(node));
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
    requests = std::max(requests, number_of(part_of(node, "executor"), "quarantined_requests"));
  }
  if (requests == 0) return;
  notes.push_back("quarantined, not executed: " + std::to_string(requests) +
                  ": replicas never agreed on what the service does with such requests");
}

void note_refused(const json& nodes, Notes& notes) {
  for (const auto& node : nodes) {
    for (const auto& entry : list_of(part_of(node, "refused"), "by_sender")) {
      notes.push_back(name_of(node) + " refused " + std::to_string(number_of(entry, "count")) +
                      " of " + word_of(entry, "sender") + ", last: " + word_of(entry, "reason"));
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
