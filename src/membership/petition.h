// What the operator does with a running cluster (docs/membership.md, M1): learns which epoch is the
// present one, announces who is about to come, and asks its executors for one change of the members
// until the next one begins. A state machine without I/O, beside a Steward for the client
// limits::kOperator.
//
//   learning --enough executors are there, and nobody tells of a later epoch--> settled
//   settled --ask()--> asking --a link that ends the epoch--> settled, with another epoch
//
// A change is of one epoch: whoever asked for it in an epoch that was over already has asked for
// nothing. So what is learnt here need not be certain.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "membership/steward.h"
#include "wire/membership.h"

namespace eve::membership {

struct PetitionOptions {
  FaultModel model{1, 0};
  TimeUs resend_after_us = 250'000;
  TimeUs settle_us = 1'000'000;  ///< so long nobody has told of a later epoch
};

class Petition {
 public:
  /// `keys` signs as the operator, and `digester`: both outlive this.
  Petition(const PetitionOptions& options, Succession chain, const crypto::Authenticator& keys,
           const crypto::Digester& digester);

  /// A node whose first role is this executor, of whatever epoch, can be reached now, or not.
  void reachable(Address executor, bool yes, TimeUs now);
  void receive(const wire::Message& message, Address from, TimeUs now,
               std::vector<wire::Send>& sends);
  void tick(TimeUs now, std::vector<wire::Send>& sends);
  TimeUs deadline() const { return due_; }

  const Succession& chain() const { return steward_.succession(); }
  /// Members that are executors and can be reached.
  size_t executors_there() const;
  bool settled(TimeUs now) const;

  /// From now on; a change of another epoch than the present one is not asked for (any more).
  void ask(const wire::Change& change, TimeUs now);
  bool asking() const { return bundle_ != nullptr && asked_->epoch == chain().epoch(); }
  /// Tells all members that it has a link with who is about to come (M14), from now on, in its
  /// epoch.
  void announce(const wire::Change& change, TimeUs now);
  /// The change that ended the epoch; nullopt while it is the present one, or if it is not known.
  std::optional<wire::Change> ended_by(Epoch epoch) const;

 private:
  wire::BundlePtr signed_by_operator(const wire::Change& change) const;
  void send_announcement(std::vector<wire::Send>& sends) const;

  const PetitionOptions options_;
  const crypto::Authenticator& keys_;
  Steward steward_;
  std::set<Address> there_;
  TimeUs quiet_since_ = 0;  ///< enough executors there, and no news
  bool enough_ = false;
  TimeUs due_ = 0;
  std::optional<wire::Change> asked_;
  wire::BundlePtr bundle_;  ///< of asked_
  std::optional<wire::Change> announced_;
  wire::BundlePtr announcement_;  ///< of announced_
};

}  // namespace eve::membership
