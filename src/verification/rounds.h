// The two rounds of agreement in the one view that a verifier has joined (V1 to V3): which token it
// PREPAREs next, and what has become a certificate. Holds votes for numbers in (base, base + W],
// where base is the later of the last committed number and the view's start point, and for the
// start point itself until that is committed.
//
// Invariants: one own PREPARE a number, and so a (view, number); own PREPAREs go up by one and
// extend the certificate held at the number before, or else the own PREPARE there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "verification/certificate.h"
#include "verification/promises.h"
#include "verification/votes.h"
#include "wire/messages.h"

namespace eve::verification {

/// What executors' tokens say about the batch after the last committed one.
struct TokenView {
  bool known = false;     ///< r+1 executors sent a token: the batch exists
  bool diverged = false;  ///< and two of all tokens differ: liars alone cannot say so
  bool hopeless = false;  ///< no token that extends the committed one can still reach u+1
};

class Rounds {
 public:
  /// View 0, which starts from genesis without a vote.
  Rounds(const FaultModel& model, const Notary& notary, const Point& genesis);

  /// Starts `view` at `start`, forgets the view before, and gives the own PREPARE for the start.
  /// `quarantine`: what that says of the view's quarantine (wire::quarantine_digest).
  wire::Prepare enter(View view, const Point& start, const crypto::Digest& quarantine = {});
  /// Instead of enter(): goes on in the view that was joined, with the own votes there.
  /// `quarantine` as in enter().
  void restore(const Promises& promises, const Point& committed, const crypto::Digest& quarantine);
  /// The start point of this view is committed and is `start`. It is another than the one entered
  /// with only if the view's leader proposed two.
  void begin(const Point& start);
  /// Everything up to `point` is committed.
  void commit(const Point& point);

  // Each is false for a vote that is repeated or outside of the window. Precondition: the vote is
  // for view().
  bool add(uint16_t executor, const wire::Token& token);
  bool add(const wire::Prepare& prepare);

  /// The next PREPARE that may be sent, signed and counted, if there is one.
  std::optional<wire::Prepare> next_prepare();
  /// The next certificate that formed, if one did.
  std::optional<wire::Certificate> next_certificate();

  View view() const { return view_; }
  const Point& start() const { return start_; }
  /// Own PREPAREs, and COMMITs for the certificates held, of uncommitted numbers.
  std::vector<wire::Message> own_votes() const;
  TokenView next_tokens() const;
  /// Whether the start point was certified with the quarantine entered with, as far as is known: a
  /// view's leader may have proposed two.
  bool start_is_undisputed() const;
  /// The name of the bundle that is, alone, the view's first batch, by the word of r+1 executors,
  /// if tokens for that batch differ and it is not committed.
  std::optional<crypto::Digest> diverged_alone() const;
  /// Something that is not committed is under way, by the word of more than liars.
  bool busy() const;
  /// For a person: how far the next batch is.
  std::string progress() const;

  uint64_t divergences() const { return divergences_; }
  /// Whose PREPAREs were refused since the last call.
  std::vector<uint16_t> take_refused() { return std::exchange(refused_, {}); }

 private:
  /// An executor's word that the batch with this digest is this single bundle.
  struct Sole {
    crypto::Digest batch;
    crypto::Digest bundle;
    bool operator==(const Sole&) const = default;
  };
  struct Slot {
    Ballot<Link> tokens;
    Ballot<Sole> soles;
    PrepareVotes prepares;
    std::optional<wire::Prepare> own;
    std::optional<wire::Certificate> certificate;
    bool diverged = false;
  };
  BatchNumber base() const;
  bool holds(BatchNumber number) const;
  std::optional<crypto::Digest> token_at(BatchNumber number) const;
  void note_refused(Slot& slot);
  std::optional<Link> choose(Slot& slot, const crypto::Digest& previous);
  wire::Prepare prepare(BatchNumber number, const Link& link);
  void trim();

  FaultModel model_;
  const Notary& notary_;
  View view_;
  Point start_;
  crypto::Digest quarantine_;  ///< what the own PREPARE for the start says of it
  bool start_open_ = false;
  Point committed_;
  std::map<BatchNumber, Slot> slots_;
  uint64_t divergences_ = 0;
  std::vector<uint16_t> refused_;
};

}  // namespace eve::verification
