// Well-formed messages that claim what they like, signed by the liar where they are signed.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/adversary/strategy.h"
#include "wire/codec.h"
#include "wire/messages.h"

namespace eve::sim::adversary {

/// A strategy from one of the adapters: make<ToEach<wire::Token>>(change).
template <typename Adapter, typename Change>
std::function<StrategyPtr(Random&)> make(Change change) {
  return [change](Random&) { return std::make_unique<Adapter>(change); };
}
/// A strategy class: make<StarveClient>(), constructed with the seed's random numbers.
template <typename Class>
std::function<StrategyPtr(Random&)> make() {
  return [](Random& random) { return std::make_unique<Class>(random); };
}

/// `truth` with other bundles, time and seed.
struct BatchClaim {
  View view;
  BatchNumber number;
  TimeUs time_us = 0;
  uint64_t seed = 0;
  std::vector<wire::BundlePtr> bundles;

  explicit BatchClaim(const wire::Batch& truth)
      : view(truth.view),
        number(truth.number),
        time_us(truth.time_us),
        seed(truth.seed),
        bundles(truth.bundles) {}
  wire::BatchMessage message(const Turn& turn) const;
};

/// A bundle with these requests, signed by the liar, whoever `fields` names.
wire::BundlePtr sign_bundle(const wire::BundleFields& fields, const std::vector<Bytes>& requests,
                            const Turn& turn);
wire::BundleFields fields_of(const wire::Bundle& bundle);
std::vector<Bytes> requests_of(const wire::Bundle& bundle);

/// With another state, so another token; liars of one seed make the same one for a number.
wire::Token false_token(wire::Token token, Turn& turn);

/// Fills in `verifier` and signature.
wire::Prepare sign(wire::Prepare prepare, const Turn& turn);
wire::ViewChange sign(wire::ViewChange change, const Turn& turn);
wire::NewView sign(wire::NewView new_view, const Turn& turn);

wire::Certificate genesis_certificate(const Turn& turn);

}  // namespace eve::sim::adversary
