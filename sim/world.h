// One seed: a cluster, its clients, its faults and its checkers, from the first message until
// everybody agrees again.
#pragma once

#include <array>
#include <iosfwd>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "sim/authenticity.h"
#include "sim/checkers.h"
#include "sim/client_host.h"
#include "sim/conduct.h"
#include "sim/executor_host.h"
#include "sim/plan.h"
#include "sim/reply_gate.h"
#include "sim/rogue_client.h"
#include "sim/statistics.h"
#include "sim/twins.h"
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

  /// Requests that clients were told are quarantined.
  uint64_t quarantined() const;
  /// When the last answer reached a client, but for the nudges of the end.
  TimeUs answered_at() const;
  uint64_t trace_digest() const { return trace_.digest(); }
  Statistics statistics() const;
  /// One line for each node: where it stands.
  std::string describe_nodes() const;

 private:
  void add_executors();
  void add_verifiers();
  void add_clients();
  // ---- world_liars.cc
  bool has_liar(Address address) const;
  std::vector<Host*> faulty_hosts() const;
  void add_liars();
  void add_twin_posts();
  void add_rogues();
  void forget_again(Host& host);
  void start_liars();
  /// An hour passes in which the correct clients keep their sessions.
  void sleep();
  const Surroundings& around(Address address, size_t instance) const;
  void receive_as_twin(const wire::MessagePtr& message, Address from, Address to);
  /// Nothing is known of where this one stands.
  bool unaccountable(Address address) const;

  // ---- world.cc
  void add_listeners();
  void run_checked_until(TimeUs until);
  void receive(const wire::MessagePtr& message, Address from, Address to);
  std::unique_ptr<ExecutorHost> make_executor(uint16_t index, size_t instance);
  std::unique_ptr<VerifierHost> make_verifier(uint16_t index, size_t instance);
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
  Twins twins_;
  std::array<std::unique_ptr<Post>, Twins::kInstances> twin_posts_;
  std::vector<Surroundings> around_twins_;
  std::unique_ptr<Workload> workload_;
  Oracle oracle_;
  Ledger ledger_;
  ReplyChecker replies_;
  ReplyGate gate_;
  AuthenticityChecker authenticity_;
  Witness witness_;
  TokenConduct tokens_;
  SilenceConduct silence_;
  PrimaryConduct primaries_;
  VoteConduct votes_;
  QuarantineConduct quarantines_;
  std::unique_ptr<ViewConduct> views_;
  SequentialChecker sequential_;
  std::unique_ptr<class RealKeys> keys_;
  std::vector<std::unique_ptr<crypto::Authenticator>> authenticators_;
  std::vector<std::unique_ptr<ExecutorHost>> executors_;
  std::vector<std::unique_ptr<VerifierHost>> verifiers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::vector<std::unique_ptr<RogueClient>> rogues_;
  std::map<Address, std::unique_ptr<Host>> second_twins_;
  adversary::Conspiracy conspiracy_;
  bool forgetting_ = true;
  uint64_t amnesias_ = 0;
  uint64_t expiries_ = 0;
  TimeUs slept_us_ = 0;
  std::unique_ptr<class Faults> faults_;
};

}  // namespace eve::sim
