// One seed of primary-backup: two replicas, clients, faults and checkers. With an arbiter anything
// may happen to links and processes; without one, what docs/primary-backup.md assumes. Replicas
// that keep what they do crash at any time, and both at once; others only if the other one could go
// on.
#pragma once

#include <array>
#include <iosfwd>
#include <memory>
#include <vector>

#include "sim/authenticity.h"
#include "sim/checkers.h"
#include "sim/client_host.h"
#include "sim/pair_host.h"
#include "sim/plan.h"
#include "sim/reply_gate.h"
#include "sim/statistics.h"

namespace eve::sim {

/// Replies name the epoch: in each, one life of one replica answers, and that one leads it.
class AnswerChecker final : public Listener {
 public:
  explicit AnswerChecker(std::function<uint64_t(uint16_t)> life_of)
      : life_of_(std::move(life_of)) {}
  void sent(Address from, const wire::Send& send) override;

 private:
  std::function<uint64_t(uint16_t)> life_of_;
  std::map<View, uint64_t> answers_;
};

class PairWorld {
 public:
  PairWorld(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram);
  ~PairWorld();

  /// Throws a Violation at the first broken promise.
  void run();

  uint64_t trace_digest() const { return trace_.digest(); }
  Statistics statistics() const;
  std::string describe_nodes() const;

 private:
  void add_replicas();
  void add_clients();
  void receive(const wire::MessagePtr& message, Address from, Address to);
  void repeat(TimeUs every, std::function<void()> fault);
  void start_faults();
  void stop_faults();
  void crash_one();
  void crash_both();
  void crash(PairHost& host);
  /// Whoever crashes finds everything again.
  bool lasting() const;
  bool may_crash(uint16_t index) const;
  void cut_some();
  TimeUs around_us(TimeUs mean);
  void check_all();
  bool done() const;
  bool converged() const;

  Plan plan_;
  Random random_;
  Fibers& fibers_;
  Roster roster_;
  crypto::Digester digester_;
  crypto::NoAuthenticator authenticator_;
  EventQueue queue_;
  Network network_;
  Trace trace_;
  Post post_;
  BlameChecker blame_;
  Surroundings around_;
  std::unique_ptr<Workload> workload_;
  Oracle oracle_;
  Ledger ledger_;
  ReplyChecker replies_;
  ReplyGate gate_;
  AnswerChecker answers_;
  PairArbiter arbiter_;
  std::array<std::unique_ptr<PairHost>, 2> replicas_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  bool stopped_ = false;
  uint64_t crashes_ = 0;
};

}  // namespace eve::sim
