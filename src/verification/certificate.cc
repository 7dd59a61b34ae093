#include "verification/certificate.h"

#include <set>
#include <tuple>

#include "wire/codec.h"

namespace eve::verification {

using crypto::Domain;

bool outranks(const wire::Certificate& left, const wire::Certificate& right) {
  if (left.genesis) return false;
  if (right.genesis) return true;
  return std::tie(left.view, left.number) > std::tie(right.view, right.number);
}

const wire::Certificate& start_point(const std::vector<wire::ViewChange>& proof) {
  EVE_CHECK(!proof.empty(), "a start point is chosen from VIEW-CHANGEs");
  const wire::Certificate* best = &proof.front().prepared;
  for (const auto& change : proof) {
    if (outranks(change.prepared, *best)) best = &change.prepared;
  }
  return *best;
}

Notary::Notary(const FaultModel& model, uint16_t self, const crypto::Digest& genesis,
               const crypto::Authenticator& authenticator, BatchNumber start)
    : model_(model), self_(self), start_{start, genesis}, authenticator_(authenticator) {}

void Notary::sign(wire::Prepare& prepare) const {
  prepare.verifier = self_;
  prepare.signature = authenticator_.sign(Domain::kPrepare, wire::signed_bytes(prepare));
}

void Notary::sign(wire::ViewChange& change) const {
  change.verifier = self_;
  change.signature = authenticator_.sign(Domain::kViewChange, wire::signed_bytes(change));
}

void Notary::sign(wire::NewView& new_view) const {
  new_view.verifier = self_;
  new_view.signature = authenticator_.sign(Domain::kNewView, wire::signed_bytes(new_view));
}

bool Notary::signed_by(uint16_t verifier, Domain domain, ByteView bytes, ByteView signature) const {
  return verifier < model_.verifiers() &&
         authenticator_.verify(Address::verifier(verifier), domain, bytes, signature);
}

bool Notary::valid(const wire::Prepare& prepare) const {
  return signed_by(prepare.verifier, Domain::kPrepare, wire::signed_bytes(prepare),
                   prepare.signature);
}

bool Notary::valid(const wire::Certificate& certificate) const {
  const Point place = place_of(certificate);
  if (place.number < start_.number) return false;
  if (place.number == start_.number && place.token != start_.token) return false;
  if (certificate.genesis) return certificate.number == BatchNumber() && certificate.votes.empty();

  std::set<uint16_t> voters;
  for (const auto& vote : certificate.votes) voters.insert(vote.verifier);
  if (voters.size() != certificate.votes.size() || voters.size() < model_.agreement()) {
    return false;
  }
  wire::Prepare prepare{
      certificate.view, certificate.number, certificate.token, certificate.previous, 0, {}};
  for (const auto& vote : certificate.votes) {
    prepare.verifier = vote.verifier;
    prepare.signature = vote.signature;
    if (!valid(prepare)) return false;
  }
  return true;
}

bool Notary::valid(const wire::ViewChange& change) const {
  const auto& prepared = change.prepared;
  if (!prepared.genesis && prepared.view >= change.view) return false;
  return signed_by(change.verifier, Domain::kViewChange, wire::signed_bytes(change),
                   change.signature) &&
         valid(prepared);
}

bool Notary::valid(const wire::NewView& new_view) const {
  if (new_view.verifier != leader(new_view.view)) return false;
  std::set<uint16_t> voters;
  for (const auto& change : new_view.proof) {
    if (change.view != new_view.view) return false;
    voters.insert(change.verifier);
  }
  if (voters.size() != new_view.proof.size() || voters.size() < model_.agreement()) return false;
  const Point chosen = place_of(start_point(new_view.proof));
  if (chosen != Point{new_view.number, new_view.token}) return false;

  if (!signed_by(new_view.verifier, Domain::kNewView, wire::signed_bytes(new_view),
                 new_view.signature)) {
    return false;
  }
  for (const auto& change : new_view.proof) {
    if (!valid(change)) return false;
  }
  return true;
}

}  // namespace eve::verification
