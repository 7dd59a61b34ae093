// Drives one pair::Replica, its ExecutionStage and its Arbiter.
#pragma once

#include <functional>
#include <memory>

#include "pair/replica.h"
#include "runtime/arbiter.h"
#include "runtime/execution_stage.h"
#include "runtime/host.h"
#include "runtime/router.h"

namespace eve::runtime {

class PairHost final : public Host {
 public:
  using MakeStage = std::function<std::unique_ptr<ExecutionStage>()>;

  /// `options.genesis` and `options.life` are filled in here: each life has an empty state of its
  /// own. References outlive the host.
  PairHost(Router& router, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester, pair::ReplicaOptions options, MakeStage make_stage,
           std::unique_ptr<Arbiter> arbiter);

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  const pair::Replica& replica() const { return *replica_; }
  const Arbiter& arbiter() const { return *arbiter_; }
  ExecutionStage::Counts counts() { return stage_->counts(); }

 private:
  void make_replica();
  void start_over(TimeUs now);
  /// Passes on what the replica wants. True if it wanted anything.
  bool hand_out();

  Router& router_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  pair::ReplicaOptions options_;
  MakeStage make_stage_;
  std::unique_ptr<Arbiter> arbiter_;
  std::unique_ptr<ExecutionStage> stage_;
  std::unique_ptr<pair::Replica> replica_;
  pair::Outbox outbox_;
  RefusalsSeen refusals_seen_;
};

}  // namespace eve::runtime
