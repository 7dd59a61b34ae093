// What a lying node may say instead of the truth: well-formed messages, signed by the liar where
// they are signed, that claim something else.
#pragma once

#include "base/random.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "wire/messages.h"

namespace eve::sim::adversary {

class Lies {
 public:
  /// `authenticator` signs as the liar. Both outlive this.
  Lies(uint64_t seed, const crypto::Authenticator& authenticator, const crypto::Digester& digester)
      : random_(seed), authenticator_(authenticator), digester_(digester) {}

  /// Another message of the same kind, or the same where there is nothing to lie about.
  wire::Message instead_of(const wire::Message& truth);

 private:
  wire::BatchMessage lie(wire::BatchMessage message);
  wire::BundleMessage lie(wire::BundleMessage message);
  wire::Reply lie(wire::Reply reply);
  wire::Token lie(wire::Token token);
  wire::Verdict lie(wire::Verdict verdict);
  wire::Needed lie(wire::Needed needed);
  wire::Suspect lie(wire::Suspect suspect);
  wire::Hello lie(wire::Hello hello);
  wire::Welcome lie(wire::Welcome welcome);
  wire::Prepare lie(wire::Prepare prepare);
  wire::Commit lie(wire::Commit commit);
  wire::ViewChange lie(wire::ViewChange change);
  wire::NewView lie(wire::NewView new_view);
  wire::StateRequest lie(wire::StateRequest request);
  wire::StateReply lie(wire::StateReply reply);
  /// Of primary-backup, which assumes that nobody lies.
  wire::PairBeat lie(wire::PairBeat beat) { return beat; }
  wire::PairBatch lie(wire::PairBatch message) { return message; }
  wire::PairToken lie(wire::PairToken token) { return token; }
  /// Said by hosts, not by the protocol.
  wire::Room lie(wire::Room room) { return room; }
  wire::EpochEnd lie(wire::EpochEnd end);
  wire::Farewell lie(wire::Farewell farewell);
  /// What everybody checks by itself.
  wire::ChainWanted lie(wire::ChainWanted wanted) { return wanted; }
  wire::Chain lie(wire::Chain chain) { return chain; }
  wire::Candidate lie(wire::Candidate candidate) { return candidate; }
  wire::InEpoch lie(wire::InEpoch message);

  crypto::Digest digest();
  /// A number near `value`.
  uint64_t near(uint64_t value);
  wire::BundlePtr forged(const wire::Bundle& bundle);

  Random random_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
};

}  // namespace eve::sim::adversary
