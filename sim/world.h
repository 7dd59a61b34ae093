// One seed: a cluster, its clients, its faults and its checkers, from the first message until
// everybody agrees again.
#pragma once

#include <iosfwd>
#include <memory>
#include <vector>

#include "sim/authenticity.h"
#include "sim/checkers.h"
#include "sim/client_host.h"
#include "sim/conduct.h"
#include "sim/executor_host.h"
#include "sim/plan.h"
#include "sim/reply_gate.h"
#include "sim/statistics.h"
#include "sim/verifier_host.h"
#include "sim/witness.h"

namespace eve::sim {

class World {
 public:
  /// `fibers` outlives the world. What happens goes to `trace` and `diagram`, unless null.
  World(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram = nullptr);
  ~World();

  /// Throws a Violation at the first broken promise.
  void run();

  uint64_t trace_digest() const { return trace_.digest(); }
  Statistics statistics() const;
  /// One line for each node: where it stands.
  std::string describe_nodes() const;

 private:
  void add_executors(const crypto::Digest& genesis);
  void add_verifiers(const crypto::Digest& genesis);
  void add_clients();
  void add_liars();
  void add_listeners(const crypto::Digest& genesis);
  void receive(const wire::MessagePtr& message, Address from, Address to);
  void run_checked_until(TimeUs until);
  void check_history();
  void check_states() const;
  bool clients_done() const;
  bool converged() const;
  TimeUs patience_lost() const;
  void finish_requests();
  void converge();
  TimeUs clock_offset();
  TimeUs patience(TimeUs usual);
  const crypto::Authenticator& authenticator_of(Address address);
  void add_liar(Address address);

  Plan plan_;
  Random random_;
  Fibers& fibers_;
  Roster roster_;
  crypto::Digester digester_;
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
  AuthenticityChecker authenticity_;
  Witness witness_;
  TokenConduct tokens_;
  PrimaryConduct primaries_;
  VoteConduct votes_;
  std::unique_ptr<ViewConduct> views_;
  SequentialChecker sequential_;
  std::unique_ptr<class RealKeys> keys_;
  std::vector<std::unique_ptr<crypto::Authenticator>> authenticators_;
  std::vector<std::unique_ptr<ExecutorHost>> executors_;
  std::vector<std::unique_ptr<VerifierHost>> verifiers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::unique_ptr<class Faults> faults_;
};

}  // namespace eve::sim
