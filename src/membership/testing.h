// For the tests of this room: keys that cost nothing, and epochs that end as the test says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "membership/epoch_keys.h"
#include "membership/steward.h"
#include "wire/codec.h"

namespace eve::membership::testing {

inline const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, {});
  return instance;
}

inline crypto::Digest digest(ByteView name) {
  return digester().digest(name);
}

/// Signatures that only the simulated signer makes.
class TestKeys final : public crypto::Authenticator {
 public:
  explicit TestKeys(Address self) : self_(self) {}
  Bytes sign(crypto::Domain domain, ByteView bytes) const override {
    return of(self_, domain, bytes);
  }
  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override {
    ++verified;
    return signature == of(signer, domain, bytes);
  }
  static inline size_t verified = 0;

 private:
  static Bytes of(Address signer, crypto::Domain domain, ByteView bytes) {
    return to_string(signer) + std::to_string(static_cast<int>(domain)) + Bytes(bytes);
  }
  Address self_;
};

inline KeysOf keys_of() {
  static const TestKeys anybody(Address::verifier(0));
  return [](const Members& members) { return std::make_unique<EpochKeys>(anybody, members); };
}

inline Succession first(const FaultModel& model) {
  return Succession(model, {Members::first(model), BatchNumber(), digest("genesis")}, keys_of(),
                    digester());
}

/// As executors ran it.
inline wire::Evidence evidence(const wire::Change& change, uint64_t number, bool executed = true) {
  const auto bundle = wire::make_change(change, [](ByteView) { return Bytes("operator"); });
  const auto batch = wire::make_batch(View(), BatchNumber(number), 1, 2, {bundle}, digester());
  const auto reply = executed
                         ? wire::reply_digest(wire::ReplyStatus::kExecuted,
                                              wire::change_reply(change.epoch.next()), digester())
                         : wire::reply_digest(wire::ReplyStatus::kOutOfOrder, {}, digester());
  return {{BatchNumber(number), digest("before"), batch->digest, digest("state"),
           digester().digest(reply.view())},
          batch};
}

inline crypto::Digest token_of(const wire::Evidence& evidence) {
  return wire::token_of(evidence.parts, digester());
}

/// What the verifier at this seat signs in the epoch of `members`.
inline wire::Farewell farewell(const Members& members, uint16_t seat,
                               const wire::Evidence& evidence) {
  wire::Farewell said{members.epoch, evidence.parts.number, token_of(evidence), seat, {}};
  const TestKeys node(members.node_at(Address::verifier(seat)));
  said.signature =
      EpochKeys(node, members).sign(crypto::Domain::kFarewell, wire::signed_bytes(said));
  return said;
}

inline wire::Link link(const Members& members, const std::vector<uint16_t>& signers,
                       const wire::Evidence& evidence) {
  wire::Link link{members.epoch, evidence, {}};
  for (const uint16_t signer : signers) {
    link.farewells.push_back({signer, farewell(members, signer, evidence).signature});
  }
  return link;
}

}  // namespace eve::membership::testing
