#include "execution/proposal_order.h"

namespace eve::execution {

Turn ProposalOrder::turn(const wire::Bundle& bundle) const {
  const auto flight = in_flight_.find(Stream::of(bundle));
  if (flight != in_flight_.end()) {
    if (bundle.first < flight->second.next) return Turn::kDone;
    return bundle.first == flight->second.next ? Turn::kReady : Turn::kEarly;
  }
  switch (committed_.standing(bundle)) {
    case Standing::kAnswered:
    case Standing::kStale:
      return Turn::kDone;
    case Standing::kEarly:
      return Turn::kEarly;
    case Standing::kNext:
    case Standing::kUnknown:  // proposed, so that its client learns that the session is gone
      return Turn::kReady;
  }
  return Turn::kDone;
}

void ProposalOrder::proposed(const wire::Bundle& bundle, BatchNumber number) {
  in_flight_[Stream::of(bundle)] = {end_of(bundle), number};
}

void ProposalOrder::committed(const wire::Batch& batch) {
  if (in_flight_.empty()) return;
  for (const wire::BundlePtr& bundle : batch.bundles) {
    const auto flight = in_flight_.find(Stream::of(*bundle));
    if (flight != in_flight_.end() && flight->second.last <= batch.number) {
      in_flight_.erase(flight);
    }
  }
}

void ProposalOrder::committed_through(BatchNumber number) {
  std::erase_if(in_flight_, [&](const auto& flight) { return flight.second.last <= number; });
}

}  // namespace eve::execution
