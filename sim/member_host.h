// A node of a cluster that changes its members: one role, its steward, and a core for each epoch in
// which it has a seat (docs/membership.md). What its disk holds is the links, always.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "membership/epoch_keys.h"
#include "membership/steward.h"
#include "sim/host.h"
#include "sim/ledger.h"

namespace eve::sim {

/// What all nodes of the cluster share; outlives them.
struct MemberSurroundings {
  FaultModel model{1, 0};
  membership::Succession first;  ///< epoch 0
  const crypto::Digester& digester;
  Ledger& ledger;
  Address operator_node;  ///< as the network knows it; cores know limits::kOperator
  /// A node enters the epoch after this link's. Throws if others entered another one.
  std::function<void(Address node, const wire::Link& link)> entered;
};

class MemberHost : public Host {
 public:
  MemberHost(const Surroundings& around, const MemberSurroundings& cluster, Address self,
             TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys);

  Epoch epoch() const { return steward_->epoch(); }
  /// It lies: what it says is not looked at.
  void become_liar() { liar_ = true; }
  bool liar() const { return liar_; }

 protected:
  /// A core for the present epoch, if there is a seat; `again`: an earlier life had one in it.
  virtual void begin(bool again) = 0;
  /// The core's epoch is over. What it was about to say is not said any more.
  virtual void end_core() = 0;
  /// To the core of the present epoch.
  virtual void hear(const wire::Message& message, Address from, TimeUs now) = 0;

  void on_start() override;
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  TimeUs deadline() const override { return steward_->deadline(); }
  /// What the core says.
  void say(const std::vector<wire::Send>& sends);
  /// Sends, and enters what there is to enter.
  void carry_out_steward(membership::Outbox& out);
  const Refusals& no_refusals() const { return none_; }

  const MemberSurroundings& cluster_;
  const crypto::Authenticator& keys_;
  std::unique_ptr<membership::Steward> steward_;
  std::unique_ptr<membership::EpochKeys> epoch_keys_;  ///< of the present core

 private:
  void post(std::vector<wire::Send> sends);
  void lie(const std::vector<wire::Send>& sends);
  void lie_to_learners();

  std::vector<wire::Link> kept_;  ///< on its disk
  Epoch seated_in_;               ///< likewise: the last epoch in which it had a core
  bool ever_seated_ = false;
  bool liar_ = false;
  std::vector<wire::Send> said_;  ///< by a liar, in epochs that are over
  Refusals none_;
};

}  // namespace eve::sim
