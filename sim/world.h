// One seed: a cluster, its clients, its faults and its checkers, from the first message until
// everybody agrees again.
#pragma once

#include <iosfwd>
#include <memory>
#include <vector>

#include "sim/checkers.h"
#include "sim/client_host.h"
#include "sim/executor_host.h"
#include "sim/plan.h"
#include "sim/statistics.h"
#include "sim/verifier_host.h"

namespace eve::sim {

class World {
 public:
  /// `fibers` outlives the world. Text of what happens goes to `trace` if that is not null.
  World(const Plan& plan, Fibers& fibers, std::ostream* trace);
  ~World();

  /// Throws a Violation at the first broken promise.
  void run();

  /// Requests that clients were told are quarantined.
  uint64_t quarantined() const;
  /// When the last answer reached a client, but for the nudges of the end.
  TimeUs answered_at() const;
  uint64_t trace_digest() const { return trace_.digest(); }
  Statistics statistics() const;
  /// One line for each node: where it stands.
  std::string describe_nodes() const;

 private:
  void add_executors(const crypto::Digest& genesis);
  void add_verifiers(const crypto::Digest& genesis);
  void add_clients();
  void add_liars();
  void receive(const wire::MessagePtr& message, Address from, Address to);
  void check_history();
  bool clients_done() const;
  bool converged() const;
  void finish_requests();
  void converge();
  TimeUs clock_offset();
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
  Surroundings around_;
  std::unique_ptr<Workload> workload_;
  Oracle oracle_;
  Ledger ledger_;
  ReplyChecker replies_;
  std::vector<std::unique_ptr<crypto::Authenticator>> authenticators_;
  std::vector<std::unique_ptr<ExecutorHost>> executors_;
  std::vector<std::unique_ptr<VerifierHost>> verifiers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::unique_ptr<class Faults> faults_;
};

}  // namespace eve::sim
