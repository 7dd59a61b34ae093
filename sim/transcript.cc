#include "sim/transcript.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <utility>

#include "sim/stage_names.h"

namespace eve::sim {
namespace {

constexpr TimeUs kMs = 1000;
/// Of one message; more make a thicket, and become one note across all of them.
constexpr size_t kMostArrows = 2;

std::string time_text(TimeUs at) {
  char text[32];
  if (at % kMs == 0) {
    std::snprintf(text, sizeof text, "%6lld ms  ", static_cast<long long>(at / kMs));
  } else {
    std::snprintf(text, sizeof text, "%8.1f ms  ", static_cast<double>(at) / kMs);
  }
  return text;
}

/// Mermaid ends a message at a semicolon and a comment begins with a number sign.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '#') {
      out += "#35;";
    } else if (c == ';') {
      out += ',';
    } else {
      out += c;
    }
  }
  return out;
}

/// A name without a hyphen, which might be read as the beginning of an arrow.
std::string lifeline(Address node) {
  return to_string(node).substr(0, 1) + std::to_string(node.index);
}

/// The order of lifelines: clients, executors, verifiers.
int rank(Address node) {
  return node.role == Role::kClient ? 0 : static_cast<int>(node.role);
}

bool left_of(Address a, Address b) {
  return rank(a) != rank(b) ? rank(a) < rank(b) : a.index < b.index;
}

}  // namespace

void Transcript::script(const std::string& line) {
  Entry entry{0, {}, {}, {}, line, {}, std::exchange(repeated_, 0)};
  add(std::move(entry));
  instant_ = entries_.size();
}

void Transcript::message(TimeUs now, Address from, std::vector<Address> to, const std::string& text,
                         const std::string& fate, bool folds) {
  const std::string receivers = describe_nodes(to, nodes_, from);
  if (!seen_.emplace(from, receivers, text, fate).second && folds) {
    if (!muted_) ++repeated_;
    return;
  }
  add({now, {from}, std::move(to), receivers, text, fate, 0});
}

void Transcript::change(TimeUs now, Address node, const std::string& text) {
  add({now, {node}, {}, {}, text, {}, 0});
}

void Transcript::mute(bool muted) {
  muted_ = muted;
  repeated_ = 0;
}

void Transcript::add(Entry entry) {
  if (muted_) return;
  if (instant_ < entries_.size() && entries_.back().at != entry.at) instant_ = entries_.size();
  const auto begin = entries_.begin() + static_cast<ptrdiff_t>(instant_);
  const auto same = std::find_if(begin, entries_.end(), [&entry](const Entry& other) {
    return !entry.who.empty() && other.text == entry.text && other.fate == entry.fate &&
           other.receivers == entry.receivers &&
           std::count(other.who.begin(), other.who.end(), entry.who.front()) == 0;
  });
  if (same != entries_.end()) {
    same->who.push_back(entry.who.front());
    for (const Address node : entry.to) {
      if (std::count(same->to.begin(), same->to.end(), node) == 0) same->to.push_back(node);
    }
    return;
  }
  entries_.push_back(std::move(entry));
}

std::string Transcript::label(const Entry& entry) const {
  return entry.text + (entry.fate.empty() ? "" : " (" + entry.fate + ')');
}

std::string Transcript::line(const Entry& entry) const {
  if (entry.who.empty()) return entry.text;
  std::string text = time_text(entry.at) + describe_nodes(entry.who, nodes_, std::nullopt);
  if (!entry.to.empty()) text += " -> " + entry.receivers;
  return text + ": " + label(entry);
}

std::string Transcript::text() {
  instant_ = entries_.size();
  const auto repeated = [](uint64_t count) {
    return "           (sent again: " + std::to_string(count) + ")\n";
  };
  std::string out;
  for (const Entry& entry : entries_) {
    if (entry.repeated_before > 0) out += repeated(entry.repeated_before);
    out += line(entry) + '\n';
  }
  if (repeated_ > 0) out += repeated(repeated_);
  return out;
}

std::string Transcript::mermaid() {
  instant_ = entries_.size();
  auto everybody = nodes_;
  std::sort(everybody.begin(), everybody.end(), left_of);
  std::ostringstream out;
  out << "sequenceDiagram\n";
  for (const Address node : everybody) {
    out << "  participant " << lifeline(node) << " as " << to_string(node) << '\n';
  }
  for (const Entry& entry : entries_) {
    if (entry.who.empty()) continue;
    const bool few = entry.who.size() == 1 && entry.to.size() <= kMostArrows;
    if (few && !entry.to.empty()) {
      const char* arrow = entry.fate == "dropped" || entry.fate == "held" ? "--x" : "->>";
      for (const Address node : entry.to) {
        out << "  " << lifeline(entry.who.front()) << arrow << lifeline(node) << ": "
            << escaped(label(entry)) << '\n';
      }
      continue;
    }
    auto across = entry.who;
    across.insert(across.end(), entry.to.begin(), entry.to.end());
    std::sort(across.begin(), across.end(), left_of);
    out << "  Note over " << lifeline(across.front());
    if (across.back() != across.front()) out << ',' << lifeline(across.back());
    const std::string to = entry.to.empty() ? "" : " -> " + entry.receivers;
    out << ": " << escaped(describe_nodes(entry.who, nodes_, std::nullopt) + to) << ": "
        << escaped(label(entry)) << '\n';
  }
  return out.str();
}

}  // namespace eve::sim
