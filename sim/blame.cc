#include "sim/blame.h"

#include <string>
#include <utility>

#include "execution/executor.h"
#include "sim/violation.h"

namespace eve::sim {

void BlameChecker::look(Address node, const Refusals& refusals, Seen& seen) const {
  if (excused_.contains(node)) return;
  for (const auto& [sender, entry] : refusals.by_sender()) {
    if (entry.count == std::exchange(seen[sender], entry.count)) continue;
    if (excused_.contains(sender) || entry.reason == execution::kFarFromClock) continue;
    throw Violation("blame", to_string(node) + " refuses from " + to_string(sender) +
                                 ", a correct one: " + std::string(entry.reason));
  }
}

}  // namespace eve::sim
