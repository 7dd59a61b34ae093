// What correct nodes never do, whatever they are told and however often they restart. Each class
// watches one kind of promise in what nodes send, and throws a Violation at the first breach.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "base/quorum.h"
#include "crypto/digest.h"
#include "sim/ledger.h"
#include "sim/listener.h"
#include "verification/certificate.h"

namespace eve::sim {

class Conduct : public Listener {
 public:
  /// This node is not correct, or there are two of it: nothing it sends counts.
  void excuse(Address node) { excused_.insert(node); }
  void sent(Address from, const wire::Send& send) final {
    if (!excused_.contains(from)) heard(from, *send.message);
  }

 private:
  virtual void heard(Address from, const wire::Message& message) = 0;

  std::set<Address> excused_;
};

/// E4: an executor sends one token for a (view, number), in all its lives, and for a batch of that
/// view.
class TokenConduct final : public Conduct {
 public:
  /// A primary may propose a batch of another view again, as one of its own: the digest is the
  /// same.
  void expect_liars() { liars_ = true; }

 private:
  void heard(Address from, const wire::Message& message) override;
  std::map<std::tuple<Address, View, BatchNumber>, crypto::Digest> said_;
  std::map<crypto::Digest, View> batches_;
  bool liars_ = false;
};

/// E10: who restarted without its memory sends no token, proposes nothing and suspects nobody in a
/// view in which it has spoken before. What it sent is then never contradicted by what it cannot
/// remember, whether or not it would have said the same this time.
class SilenceConduct final : public Conduct {
 public:
  void restarted(Address executor);

 private:
  void heard(Address from, const wire::Message& message) override;
  std::map<Address, View> spoken_;  ///< highest view, in all lives
  std::map<Address, View> floors_;  ///< as of the last restart
};

/// One primary a view (E1), and one batch of it for each number.
class PrimaryConduct final : public Conduct {
 public:
  explicit PrimaryConduct(const FaultModel& model) : model_(model) {}

 private:
  void heard(Address from, const wire::Message& message) override;
  FaultModel model_;
  std::map<std::pair<View, BatchNumber>, crypto::Digest> batches_;
};

/// V2, V3, V8, V9: a verifier votes for one token for a (view, number), in all its lives; for one
/// that extends what it PREPAREd, certified or knows to be committed at the number before; commits
/// only with a quorum of PREPAREs; does not vote below a view that it asked for.
class VoteConduct final : public Conduct {
 public:
  /// `ledger` outlives this.
  VoteConduct(const FaultModel& model, const Ledger& ledger) : model_(model), ledger_(ledger) {}
  /// What others hear of this verifier may be something else than what it sends, or more.
  void distrust(Address verifier) { distrusted_.insert(verifier); }

 private:
  void heard(Address from, const wire::Message& message) override;
  void prepared(Address from, const wire::Prepare& prepare);
  void committed(Address from, const wire::Commit& commit);
  void check_view(Address from, View view) const;
  void check_history(Address from, const wire::Prepare& prepare) const;
  size_t votes_for(View view, BatchNumber number, const crypto::Digest& token) const;

  FaultModel model_;
  const Ledger& ledger_;
  /// Token and predecessor: of a start point, what is quarantined.
  std::map<std::tuple<Address, View, BatchNumber>, std::pair<crypto::Digest, crypto::Digest>>
      prepares_;
  std::map<std::tuple<View, BatchNumber, crypto::Digest>, std::set<Address>> voters_;
  std::map<Address, View> asked_;
  std::set<Address> distrusted_;
};

/// V7: one start point for each view, with a proof that everybody can check.
class ViewConduct final : public Conduct {
 public:
  /// `authenticator` verifies for anybody; it outlives this.
  /// `genesis` is the token of `start`, where the epoch begins.
  ViewConduct(const FaultModel& model, const crypto::Digest& genesis,
              const crypto::Authenticator& authenticator, BatchNumber start = BatchNumber())
      : model_(model), notary_(model, 0, genesis, authenticator, start), start_(start) {}

 private:
  void heard(Address from, const wire::Message& message) override;
  void check_choice(Address from, const wire::NewView& new_view) const;

  FaultModel model_;
  verification::Notary notary_;
  BatchNumber start_;
  using Start = std::pair<BatchNumber, crypto::Digest>;
  std::map<View, Start> led_;                ///< by correct leaders
  std::map<View, std::set<Start>> checked_;  ///< joined by correct verifiers
};

/// V11: verifiers announce one quarantine list for a view, and only with its certificate: the
/// digest of the list that a quorum of PREPAREs names. Who has no certificate, and whose proof
/// names nothing, may announce the empty one; that differs from the certified one only if a leader
/// lies.
class QuarantineConduct final : public Conduct {
 public:
  /// `digester` outlives this.
  QuarantineConduct(const FaultModel& model, const crypto::Digester& digester)
      : model_(model), digester_(digester) {}
  /// It may vote for several lists, and lead a view with two.
  void distrust(Address verifier) { distrusted_.insert(verifier); }

 private:
  void heard(Address from, const wire::Message& message) override;
  void announced(Address from, const wire::Verdict& start);

  FaultModel model_;
  const crypto::Digester& digester_;
  using Start = std::tuple<View, BatchNumber, crypto::Digest, crypto::Digest>;
  std::map<Start, std::set<Address>> voters_;  ///< for a start point and a list
  std::map<View, wire::Names> lists_;          ///< not empty, unless all verifiers are correct
  std::set<Address> distrusted_;
};

/// Views of a node only grow, as long as it lives; what a verifier persisted, in all its lives.
class ViewChecker {
 public:
  void stands(Address node, View view);
  void restarted(Address node) { views_.erase(node); }

 private:
  std::map<Address, View> views_;
};

/// A batch that is run in order gives the same token everywhere, so that a rolled back cluster goes
/// on (invariant 5). Not for services with hidden nondeterminism.
class SequentialChecker {
 public:
  void ran(Address replica, const wire::TokenParts& parts, const crypto::Digest& token);

 private:
  std::map<std::pair<crypto::Digest, crypto::Digest>, crypto::Digest> tokens_;
};

}  // namespace eve::sim
