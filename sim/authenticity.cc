#include "sim/authenticity.h"

#include <string>
#include <variant>

#include "sim/violation.h"

namespace eve::sim {

void AuthenticityChecker::heard(Address from, const wire::Message& message) {
  const auto* sent = std::get_if<wire::BundleMessage>(&message);
  if (sent == nullptr || from != Address::client(sent->bundle->client)) return;
  made_.insert(digester_.keyed_hash(sent->bundle->raw.view()));
}

void AuthenticityChecker::follow() {
  while (seen_ < ledger_.last()) {
    seen_ = seen_.next();
    for (const wire::BundlePtr& bundle : ledger_.entry(seen_).batch->bundles) {
      if (ignored_.contains(bundle->client)) continue;
      if (made_.contains(digester_.keyed_hash(bundle->raw.view()))) continue;
      throw Violation("authentication", "batch " + std::to_string(seen_.value()) +
                                            " holds requests that client " +
                                            std::to_string(bundle->client) + " never made");
    }
  }
}

}  // namespace eve::sim
