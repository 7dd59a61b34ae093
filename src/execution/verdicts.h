// Counts what verifiers say to an executor (E5): verdicts, one by one or inside a Welcome.
//
// A commit counts when r+1 verifiers said the same (number, token), in whatever view; a rollback
// when r+1 said the same (view, number, token). Each verifier has room for a bounded number of
// claims, so that one that lies fills only its own.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/digest.h"
#include "wire/messages.h"

namespace eve::execution {

class Verdicts {
 public:
  /// Commits above the last committed number that r+1 verifiers vouch for, by number.
  using Vouched = std::map<BatchNumber, crypto::Digest>;

  explicit Verdicts(const FaultModel& model);

  /// True when (number, token) is now vouched for and was not before.
  bool commit(uint16_t verifier, const wire::Verdict& verdict);
  /// The verdict, when r+1 verifiers now say the same; only the one of a verifier's highest view
  /// counts.
  std::optional<wire::Verdict> rollback(uint16_t verifier, const wire::Verdict& verdict);
  /// A commit that is known otherwise: the start point of a view.
  void vouch(BatchNumber number, const crypto::Digest& token);
  /// Everything up to `number` is committed here: forgets it.
  void forget_through(BatchNumber number);

  const Vouched& vouched() const { return vouched_; }

 private:
  struct Claims {
    std::map<BatchNumber, crypto::Digest> commits;
    std::optional<wire::Verdict> rollback;
  };

  FaultModel model_;
  BatchNumber committed_;
  std::vector<Claims> claims_;  // by verifier
  Vouched vouched_;
};

}  // namespace eve::execution
