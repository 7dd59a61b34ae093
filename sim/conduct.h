// What correct nodes never do, whatever they are told and however often they restart. Each class
// watches one kind of promise in what nodes send, and throws a Violation at the first breach.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "base/quorum.h"
#include "crypto/digest.h"
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

/// E4: an executor sends one token for a (view, number), in all its lives.
class TokenConduct final : public Conduct {
 private:
  void heard(Address from, const wire::Message& message) override;
  std::map<std::tuple<Address, View, BatchNumber>, crypto::Digest> said_;
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

/// V2, V3, V8, V9: a verifier votes for one token for a (view, number), in all its lives; commits
/// only with a quorum of PREPAREs; does not vote below a view that it asked for.
class VoteConduct final : public Conduct {
 public:
  explicit VoteConduct(const FaultModel& model) : model_(model) {}
  /// What others hear of this verifier may be something else than what it sends, or more.
  void distrust(Address verifier) { distrusted_.insert(verifier); }

 private:
  void heard(Address from, const wire::Message& message) override;
  void prepared(Address from, const wire::Prepare& prepare);
  void committed(Address from, const wire::Commit& commit);
  void check_view(Address from, View view) const;

  FaultModel model_;
  std::map<std::tuple<Address, View, BatchNumber>, crypto::Digest> prepares_;
  std::map<std::tuple<View, BatchNumber, crypto::Digest>, std::set<Address>> voters_;
  std::map<Address, View> asked_;
  std::set<Address> distrusted_;
};

/// V7: one start point for each view, with a proof that everybody can check.
class ViewConduct final : public Conduct {
 public:
  /// `authenticator` verifies for anybody; it outlives this.
  ViewConduct(const FaultModel& model, const crypto::Digest& genesis,
              const crypto::Authenticator& authenticator)
      : model_(model), notary_(model, 0, genesis, authenticator) {}

 private:
  void heard(Address from, const wire::Message& message) override;
  void check_choice(Address from, const wire::NewView& new_view) const;

  FaultModel model_;
  verification::Notary notary_;
  using Start = std::pair<BatchNumber, crypto::Digest>;
  std::map<View, Start> led_;                ///< by correct leaders
  std::map<View, std::set<Start>> checked_;  ///< joined by correct verifiers
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
