// Votes of verifiers: PREPAREs, whose signatures make certificates (V2, V3), and COMMITs (V4).
// Signatures are checked once, and only when a vote could decide something.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/digest.h"
#include "verification/certificate.h"
#include "wire/messages.h"

namespace eve::verification {

/// One step of the chain of tokens.
struct Link {
  crypto::Digest token;
  crypto::Digest previous;
  bool operator==(const Link&) const = default;
};

/// The PREPAREs for one (view, number). The first of a verifier counts, even if it turns out to be
/// badly signed: whoever sends such a vote has lost it.
class PrepareVotes {
 public:
  /// False if the verifier has voted before.
  bool add(const wire::Prepare& prepare);
  /// The own vote, which needs no check.
  void add_own(const wire::Prepare& prepare);

  /// A link that `quorum` verifiers signed; with `previous` set, one that extends it. Checks the
  /// signatures that are missing for this answer and no others.
  std::optional<Link> reached(size_t quorum, const std::optional<crypto::Digest>& previous,
                              const Notary& notary);
  /// Proof of `link`: every vote for it that has been checked.
  wire::Certificate certificate(View view, BatchNumber number, const Link& link) const;

  size_t voters() const { return claimed_.voters(); }
  /// Whose votes were refused since the last call.
  std::vector<uint16_t> take_refused();

 private:
  void check(const Link& link, size_t quorum, const Notary& notary);

  std::map<uint16_t, wire::Prepare> prepares_;
  Ballot<Link> claimed_;
  Ballot<Link> checked_;
  std::set<uint16_t> refused_;
  std::vector<uint16_t> newly_refused_;
};

/// COMMITs of whatever view: for each verifier the latest view's for each number, at most
/// 2 * kWindow numbers, the highest. A verifier that fell behind by more than the window therefore
/// follows again at the next COMMITs it hears.
class CommitVotes {
 public:
  explicit CommitVotes(const FaultModel& model) : model_(model) {}

  void add(uint16_t verifier, const wire::Commit& commit);
  /// Whether u+r+1 verifiers said exactly this.
  bool reached(const wire::Commit& commit) const;
  /// The verifier's latest COMMIT for `number`, if it is kept.
  std::optional<wire::Commit> said(uint16_t verifier, BatchNumber number) const;
  /// How many verifiers committed something above `number` or in a view above `view`.
  size_t beyond(BatchNumber number, View view) const;

 private:
  struct Vote {
    View view;
    crypto::Digest token;
    bool operator==(const Vote&) const = default;
  };
  struct Votes {
    std::map<BatchNumber, Vote> by_number;
    /// How many of them, for beyond(), which is asked at each step.
    std::map<View, size_t> of_view;
    void leave(View view);
  };
  FaultModel model_;
  std::map<uint16_t, Votes> votes_;
};

}  // namespace eve::verification
