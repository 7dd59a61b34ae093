// What verifiers sign, and what makes it proof: PREPAREs, certificates, VIEW-CHANGEs, NEW-VIEWs
// (V3, V6, V7). Pure functions of the message, the fault model and the keys: what one correct
// verifier finds valid, every correct verifier does. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "wire/messages.h"

namespace eve::verification {

/// A place in the history: everything up to `number`, whose token is `token`.
struct Point {
  BatchNumber number;
  crypto::Digest token;
  bool operator==(const Point&) const = default;
};

/// The order of start points: by view, then by number; genesis is below all.
bool outranks(const wire::Certificate& left, const wire::Certificate& right);

/// The certificate that the VIEW-CHANGEs make a new view start from. Precondition: not empty.
const wire::Certificate& start_point(const std::vector<wire::ViewChange>& proof);

/// Signs as one verifier and checks the others. Keeps references: the authenticator outlives it.
class Notary {
 public:
  /// `genesis` is the token of `start`, where the epoch begins.
  Notary(const FaultModel& model, uint16_t self, const crypto::Digest& genesis,
         const crypto::Authenticator& authenticator, BatchNumber start = BatchNumber());

  /// The place that it certifies. The certificate "genesis" does not say its number: it is the
  /// start's.
  Point place_of(const wire::Certificate& certificate) const {
    return {certificate.genesis ? start_.number : certificate.number, certificate.token};
  }

  /// The verifier that leads `view`.
  uint16_t leader(View view) const {
    return static_cast<uint16_t>(view.value() % model_.verifiers());
  }

  // Each fills in `verifier` and `signature`.
  void sign(wire::Prepare& prepare) const;
  void sign(wire::ViewChange& change) const;
  void sign(wire::NewView& new_view) const;

  bool valid(const wire::Prepare& prepare) const;
  /// u+r+1 distinct verifiers with valid signatures, for the start or what follows it; or genesis.
  bool valid(const wire::Certificate& certificate) const;
  /// A certificate of the view asked for, or of a later one, cannot exist yet: invalid.
  bool valid(const wire::ViewChange& change) const;
  /// Leader, proof by u+r+1 distinct verifiers, choice, and every signature. Signatures come last.
  bool valid(const wire::NewView& new_view) const;

 private:
  bool signed_by(uint16_t verifier, crypto::Domain domain, ByteView bytes,
                 ByteView signature) const;

  FaultModel model_;
  uint16_t self_;
  Point start_;
  const crypto::Authenticator& authenticator_;
};

}  // namespace eve::verification
