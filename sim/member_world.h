// One seed of a cluster whose nodes are replaced, one after the other, while clients ask and things
// go wrong (docs/membership.md): executors, verifiers or both; dead ones, and ones that are alive
// and go on for a while in their old epoch. Checks the invariants across the epochs.
#pragma once

#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "sim/checkers.h"
#include "sim/client_host.h"
#include "sim/conduct.h"
#include "sim/light_authenticator.h"
#include "sim/member_executor.h"
#include "sim/member_verifier.h"
#include "sim/plan.h"
#include "sim/reply_gate.h"
#include "sim/statistics.h"

namespace eve::sim {

/// What nodes never do within one epoch, by seats.
struct EpochConduct {
  EpochConduct(const FaultModel& model, const membership::Beginning& beginning,
               const Ledger& ledger, const crypto::Authenticator& nodes,
               const crypto::Digester& digester);

  membership::EpochKeys keys;
  TokenConduct tokens;
  PrimaryConduct primaries;
  VoteConduct votes;
  QuarantineConduct quarantines;
  ViewConduct views;
};

class MemberWorld final : private Listener {
 public:
  MemberWorld(const Plan& plan, Fibers& fibers, std::ostream* trace, Diagram* diagram);
  ~MemberWorld() override;

  /// Throws a Violation at the first broken promise.
  void run();

  uint64_t trace_digest() const { return trace_.digest(); }
  Statistics statistics() const;
  std::string describe_nodes() const;
  /// How many epochs have ended.
  uint32_t ended() const { return chain_.epoch().value(); }

 private:
  struct Client;
  struct Change {
    TimeUs at = 0;
    wire::Change change;
    bool dead = false;  ///< who is replaced is dead by then
    /// How long the new node learns before the change is asked for, at most (M14); 0: it is not
    /// announced.
    TimeUs learns_us = 0;
    bool until_level = false;  ///< no longer than that
    std::optional<TimeUs> announced_at{};
  };

  void draw_changes();
  void add_nodes();
  void add_clients();
  const crypto::Authenticator& keys_of(Address node);
  void sent(Address from, const wire::Send& send) override;
  void receive(const wire::MessagePtr& message, Address from, Address to);
  void disconnect_clients(Address executor);
  void client_says(uint16_t index, const wire::Send& send);
  void entered(Address node, const wire::Link& link);
  void watch(const membership::Beginning& beginning);

  // ---- The operator
  void next_change();
  void ask();
  void bring_new_nodes();
  bool learns_on(Change& made);
  void announce();
  wire::BundlePtr signed_by_operator(const wire::Change& change) const;
  void check_seatless(Address node, const wire::Message& message) const;
  void dismiss_old_nodes();

  // ---- Faults
  void repeat(TimeUs every, std::function<void()> fault);
  void start_faults();
  void stop_faults();
  void crash_one(Role role);
  void crash(MemberHost& host);
  bool stay_through_crashes() const;
  void crash_together();
  void end_begins(Epoch epoch);
  void strike_soon();
  void strike_one_soon(MemberHost& host);
  void cut_some();
  TimeUs around_us(TimeUs mean);
  MemberHost& at_seat(Address seat) const;
  size_t faulty(Role role) const;
  bool start_is_held() const;

  // ---- The end
  void check_all();
  bool done() const;
  bool converged() const;
  void finish();

  Plan plan_;
  Random random_;
  Fibers& fibers_;
  std::vector<Change> changes_;
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
  std::unique_ptr<crypto::Authenticator> anybody_;  ///< verifies for all
  membership::Succession chain_;
  MemberSurroundings cluster_;
  std::vector<std::unique_ptr<EpochConduct>> conducts_;  ///< by epoch
  std::vector<std::unique_ptr<crypto::Authenticator>> authenticators_;
  std::map<Address, std::unique_ptr<MemberExecutor>> executors_;
  std::map<Address, std::unique_ptr<MemberVerifier>> verifiers_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<membership::Steward> operator_;
  std::set<Address> dead_;     ///< for good
  std::set<Address> leaving_;  ///< alive, and replaced
  std::optional<Address> liar_;
  size_t asked_for_ = 0;    ///< changes that the operator has begun to ask for
  uint32_t ends_told_ = 0;  ///< epochs that executors have told the end of
  bool stopped_ = false;
};

}  // namespace eve::sim
