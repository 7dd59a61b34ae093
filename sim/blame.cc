#include "sim/blame.h"

#include <variant>

#include "sim/trace.h"
#include "sim/violation.h"

namespace eve::sim {

void BlameChecker::received(Address node, Address from, const wire::Message& message,
                            uint64_t refused) const {
  if (refused == 0 || excused_.contains(from) || excused_.contains(node)) return;
  // Two bodies under one id, and only one was kept: who passes the other on is not to blame.
  const auto* sent = std::get_if<wire::BundleMessage>(&message);
  if (sent != nullptr && excused_.contains(Address::client(sent->bundle->client))) return;
  throw Violation("blame", to_string(node) + " refuses from " + to_string(from) +
                               ", a correct one: " + describe(message));
}

}  // namespace eve::sim
