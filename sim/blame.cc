#include "sim/blame.h"

#include "sim/trace.h"
#include "sim/violation.h"

namespace eve::sim {

void BlameChecker::received(Address node, Address from, const wire::Message& message,
                            uint64_t refused) const {
  if (refused == 0 || excused_.contains(from) || excused_.contains(node)) return;
  throw Violation("blame", to_string(node) + " refuses from " + to_string(from) +
                               ", a correct one: " + describe(message));
}

}  // namespace eve::sim
