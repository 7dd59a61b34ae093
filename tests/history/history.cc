#include "tests/history/history.h"

#include <algorithm>

namespace eve::history {
namespace {

/// The writes in the order in which the server applied them, and where each read belongs: `place`
/// is the number of writes before it.
struct Ordered {
  std::vector<const Operation*> writes;
  std::vector<std::pair<size_t, const Operation*>> reads;
  std::vector<std::string> values;  ///< values[i]: after i writes
  std::string error;
};

void place_reads(const std::vector<Operation>& operations, Ordered& ordered) {
  std::map<std::string, size_t> place_of;
  for (size_t i = 1; i < ordered.values.size(); ++i) place_of[ordered.values[i]] = i;
  for (const auto& operation : operations) {
    if (operation.write) continue;
    const auto found = place_of.find(operation.reply);
    if (!operation.null && found == place_of.end()) {
      ordered.error = "a read returned \"" + operation.reply + "\", which was never the value";
      return;
    }
    ordered.reads.emplace_back(operation.null ? 0 : found->second, &operation);
  }
}

/// INCRBY and APPEND: replies grow with every write.
Ordered order_by_number(Kind kind, const std::vector<Operation>& operations) {
  Ordered ordered;
  for (const auto& operation : operations) {
    if (operation.write) ordered.writes.push_back(&operation);
  }
  const auto number = [](const Operation* o) { return std::stoll(o->reply); };
  std::sort(ordered.writes.begin(), ordered.writes.end(),
            [&](auto* a, auto* b) { return number(a) < number(b); });
  std::string value = kind == Kind::kCounter ? "0" : "";
  ordered.values.push_back(value);
  for (const auto* write : ordered.writes) {
    if (kind == Kind::kCounter) {
      value = std::to_string(std::stoll(value) + std::stoll(write->argument));
    } else {
      value += write->argument;
    }
    const auto expected = kind == Kind::kCounter ? value : std::to_string(value.size());
    if (write->reply != expected) {
      ordered.error = "a write returned " + write->reply + ", the model " + expected;
      return ordered;
    }
    ordered.values.push_back(value);
  }
  return ordered;
}

/// SET ... GET with unique values: each write names the one before it.
Ordered order_by_chain(const std::vector<Operation>& operations) {
  Ordered ordered;
  std::map<std::string, const Operation*> after;  // by the value before; "" for none
  size_t writes = 0;
  for (const auto& operation : operations) {
    if (!operation.write) continue;
    ++writes;
    if (!after.emplace(operation.null ? "" : operation.reply, &operation).second) {
      ordered.error = "two writes replaced the same value \"" + operation.reply + "\"";
      return ordered;
    }
  }
  ordered.values.push_back("");
  for (auto next = after.find(""); next != after.end(); next = after.find(next->second->argument)) {
    ordered.writes.push_back(next->second);
    ordered.values.push_back(next->second->argument);
  }
  if (ordered.writes.size() != writes) {
    ordered.error = std::to_string(writes - ordered.writes.size()) +
                    " writes replaced a value that was never there";
  }
  return ordered;
}

/// No operation may have ended before one that precedes it in the order began.
std::string check_real_time(const Ordered& ordered) {
  std::vector<std::vector<const Operation*>> reads_at(ordered.writes.size() + 1);
  for (const auto& [place, read] : ordered.reads) reads_at[place].push_back(read);
  double latest_invocation = 0;
  for (size_t place = 0; place <= ordered.writes.size(); ++place) {
    if (place > 0) {
      const auto* write = ordered.writes[place - 1];
      if (write->completed_us < latest_invocation) return "a write took effect after it ended";
      latest_invocation = std::max(latest_invocation, write->invoked_us);
    }
    double latest_read = latest_invocation;
    for (const auto* read : reads_at[place]) {
      if (read->completed_us < latest_invocation) return "a read returned a value of the future";
      latest_read = std::max(latest_read, read->invoked_us);
    }
    latest_invocation = latest_read;
  }
  return {};
}

}  // namespace

Outcome check(Kind kind, std::vector<Operation> operations) {
  Ordered ordered =
      kind == Kind::kRegister ? order_by_chain(operations) : order_by_number(kind, operations);
  if (ordered.error.empty()) place_reads(operations, ordered);
  if (ordered.error.empty()) ordered.error = check_real_time(ordered);
  Outcome outcome;
  outcome.error = ordered.error;
  if (!ordered.writes.empty()) outcome.final_value = ordered.values.back();
  return outcome;
}

}  // namespace eve::history
