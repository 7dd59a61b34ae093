#include "sim/diagram.h"

#include <algorithm>
#include <sstream>

namespace eve::sim {
namespace {

constexpr TimeUs kMillisecond = 1000;

/// Mermaid takes semicolons for ends of lines, and colons once only.
std::string plain(std::string text) {
  std::replace(text.begin(), text.end(), ';', ',');
  std::replace(text.begin(), text.end(), ':', ' ');
  return text;
}

/// Names without dashes, which begin arrows.
std::string name(Address address) {
  const char* role = address.role == Role::kExecutor   ? "E"
                     : address.role == Role::kVerifier ? "V"
                                                       : "C";
  return role + std::to_string(address.index);
}

}  // namespace

void Diagram::message(TimeUs now, Address from, Address to, const std::string& text) {
  if (!shows(now)) return;
  participants_.insert({from, to});
  last_ = to;
  add(now, name(from) + "->>" + name(to) + ": " + plain(text));
}

void Diagram::note(TimeUs now, Address where, const std::string& text) {
  if (!shows(now)) return;
  participants_.insert(where);
  last_ = where;
  add(now, "Note over " + name(where) + ": " + plain(text));
}

void Diagram::add(TimeUs now, const std::string& line) {
  if (lines_.size() >= most_lines_) {
    ++left_out_;
    return;
  }
  if (now / kMillisecond != shown_time_) {
    shown_time_ = now / kMillisecond;
    lines_.push_back("Note right of " + name(last_) + ": " + std::to_string(shown_time_) + " ms");
  }
  lines_.push_back(line);
}

std::string Diagram::text() const {
  std::ostringstream out;
  out << "sequenceDiagram\n";
  for (const Address address : participants_) {
    out << "  participant " << name(address) << " as " << to_string(address) << '\n';
  }
  for (const std::string& line : lines_) out << "  " << line << '\n';
  if (left_out_ > 0) out << "  %% " << left_out_ << " more lines: choose a shorter window\n";
  return out.str();
}

}  // namespace eve::sim
