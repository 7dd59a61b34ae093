// The verifier's side of the protocol (DESIGN 6.3, 6.4, 6.8): tokens in, verdicts out, for any u
// and r. A state machine without I/O.
//
//   normal(v) --asks for v+1--> changing(v+1) --valid NEW-VIEW--> starting(v+1) --commit--> normal
//       \---------------------- valid NEW-VIEW of a higher view ---^
//   recovering --NEW-VIEW above its promise, from others' VIEW-CHANGEs--> starting
//
// Invariants: at most one PREPARE a (view, number); no PREPARE or COMMIT below a view asked for; a
// COMMIT only with a certificate; views only grow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/refusals.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "verification/promises.h"
#include "wire/messages.h"

namespace eve::verification {

struct VerifierOptions {
  FaultModel model{1, 0};
  uint16_t index = 0;
  /// Where the epoch begins (docs/membership.md, M7), 0 in the first; `genesis` is its token.
  BatchNumber start;
  crypto::Digest genesis;
  /// Set when this verifier had run before and lost its promises: the highest view that it had
  /// asked for or joined, which it kept. It promises nothing until a newer view (DESIGN 6.8).
  std::optional<View> lost_promises_at;
  /// Set when this verifier had run before and lost nothing: it goes on as one that was slow. Not
  /// with lost_promises_at; not forgetful.
  std::optional<Promises> recovered;
  TimeUs divergence_delay_us = 20'000;   ///< two tokens differ: how long a commit may still come
  TimeUs progress_timeout_us = 500'000;  ///< a known batch may stay unverified
  TimeUs view_timeout_us = 300'000;      ///< a view asked for may take to start; doubles
  TimeUs resend_after_us = 100'000;
  TimeUs restart_change_us = 2'000'000;  ///< at most one view change a peer's restart in this time
};

struct Outbox {
  /// Durable (synced) before anything of `sends` leaves, and before anything that is sent later: in
  /// order. Those that do not bind() need not be waited for. A host that keeps no more than views
  /// must say so to its next start (lost_promises_at).
  std::vector<Promise> promises;
  std::vector<wire::Send> sends;
};

struct VerifierStatus {
  View view;
  View promised;      ///< highest view asked for or joined
  std::string phase;  ///< "normal", "changing", "starting", "recovering"
  BatchNumber committed;
  crypto::Digest token;
  uint64_t commits = 0;
  uint64_t view_changes = 0;  ///< views joined after the first
  uint64_t divergences = 0;   ///< numbers for which tokens differed
  uint64_t quarantined = 0;   ///< bundles that the current view answers without executing them
  uint64_t refused_messages = 0;
  std::string last_reason;  ///< why a view was asked for last; empty: never
  std::string waiting_for;
  std::vector<uint16_t> suspecting;  ///< executors that suspect the primary of `view`
};

class Verifier {
 public:
  /// The authenticator and the digester outlive the verifier.
  Verifier(const VerifierOptions& options, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester);
  ~Verifier();

  void start(TimeUs now, Outbox& out);
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;
  /// The host has handed over all that had arrived: votes that were held back to be sent together
  /// go out.
  void idle(TimeUs now, Outbox& out);
  VerifierStatus status() const;
  /// status() but for waiting_for and suspecting, which take longer to find than many a step: for
  /// hosts that look after each.
  VerifierStatus glance() const;
  /// Who sent what was refused.
  const Refusals& refusals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::verification
