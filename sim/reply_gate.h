// Invariant 4: no executor answers before it knows the verdict, and what a client accepts, r+1
// executors have told it.
#pragma once

#include <map>
#include <set>

#include "base/quorum.h"
#include "sim/checkers.h"
#include "sim/listener.h"

namespace eve::sim {

class ReplyGate final : public Listener {
 public:
  /// Both outlive this.
  ReplyGate(const FaultModel& model, const Ledger& ledger, ReplyChecker& replies)
      : model_(model), ledger_(ledger), replies_(replies) {}

  /// This executor is not correct, or there are two of it.
  void excuse(Address executor) { excused_.insert(executor); }
  /// An executor answers: with something committed, and by itself.
  void sent(Address from, const wire::Send& send) override;
  /// An answer arrives at a client.
  void arrived(Address executor, uint16_t client, const wire::Reply& reply);
  /// A client accepts the answer with this digest.
  void accepted(const BundleName& bundle, const crypto::Digest& digest) const;

 private:
  FaultModel model_;
  const Ledger& ledger_;
  ReplyChecker& replies_;
  std::set<Address> excused_;
  std::map<std::pair<BundleName, crypto::Digest>, std::set<Address>> vouched_;
};

}  // namespace eve::sim
