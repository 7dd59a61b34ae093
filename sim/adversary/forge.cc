#include "sim/adversary/forge.h"

#include <utility>

namespace eve::sim::adversary {

using crypto::Domain;

wire::BatchMessage BatchClaim::message(const Turn& turn) const {
  return {wire::make_batch(view, number, time_us, seed, bundles, turn.me.digester)};
}

wire::BundleFields fields_of(const wire::Bundle& bundle) {
  return {bundle.kind, bundle.client, bundle.session, bundle.first, bundle.acknowledged};
}

std::vector<Bytes> requests_of(const wire::Bundle& bundle) {
  return {bundle.requests.begin(), bundle.requests.end()};
}

wire::BundlePtr sign_bundle(const wire::BundleFields& fields, const std::vector<Bytes>& requests,
                            const Turn& turn) {
  return wire::make_bundle(fields, requests, [&turn](ByteView bytes) {
    return turn.me.authenticator.sign(Domain::kBundle, bytes);
  });
}

wire::Token false_token(wire::Token token, Turn& turn) {
  token.parts.state = turn.made_up(token.parts.number.value());
  token.token = wire::token_of(token.parts, turn.me.digester);
  auto& agreed = turn.me.known.agreed();
  constexpr size_t kRemembered = 32;
  agreed.insert_or_assign(token.parts.number, token);
  if (agreed.size() > kRemembered) agreed.erase(agreed.begin());
  return token;
}

wire::Prepare sign(wire::Prepare prepare, const Turn& turn) {
  prepare.verifier = turn.me.self.index;
  prepare.signature = turn.me.authenticator.sign(Domain::kPrepare, wire::signed_bytes(prepare));
  return prepare;
}

wire::ViewChange sign(wire::ViewChange change, const Turn& turn) {
  change.verifier = turn.me.self.index;
  change.signature = turn.me.authenticator.sign(Domain::kViewChange, wire::signed_bytes(change));
  return change;
}

wire::NewView sign(wire::NewView new_view, const Turn& turn) {
  new_view.verifier = turn.me.self.index;
  new_view.signature = turn.me.authenticator.sign(Domain::kNewView, wire::signed_bytes(new_view));
  return new_view;
}

wire::Certificate genesis_certificate(const Turn& turn) {
  wire::Certificate genesis;
  genesis.token = turn.me.genesis;
  return genesis;
}

}  // namespace eve::sim::adversary
