// One of the two replicas of primary-backup in the simulated world, and the arbiter that they ask.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "execution/command_queue.h"
#include "execution/runner.h"
#include "pair/replica.h"
#include "sim/executor_storage.h"
#include "sim/fiber_scheduler.h"
#include "sim/host.h"
#include "sim/ledger.h"
#include "sim/rollback_checker.h"
#include "sim/statistics.h"

namespace eve::sim {

/// Holds the record, behind a link that loses, delays and repeats questions and answers.
class PairArbiter {
 public:
  PairArbiter(EventQueue& queue, uint64_t seed, bool faulty)
      : queue_(queue), random_(seed), faulty_(faulty) {}

  using Answer = std::function<void(const pair::Record&)>;
  /// Asks again and again until answered, or `alive` says that nobody waits any more.
  void ask(const pair::Request& request, std::function<bool()> alive, Answer answer);

  const pair::Record& record() const { return record_; }
  void set_reachable(bool reachable) { reachable_ = reachable; }
  void calm() { faulty_ = !(reachable_ = true); }

 private:
  EventQueue& queue_;
  Random random_;
  pair::Record record_;
  bool reachable_ = true;
  bool faulty_;
};

struct PairSetup {
  pair::ReplicaOptions options;
  execution::MakeService make_service;
  TimeUs request_cost_us = 20;
  uint64_t switch_every = 4;
  PairArbiter* arbiter = nullptr;  ///< null: each has its own record
  StoragePlan storage;
};

class PairHost final : public Host {
 public:
  PairHost(const Surroundings& around, const PairSetup& setup, TimeUs clock_offset, uint64_t seed,
           Fibers& fibers, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester, Ledger& ledger);
  ~PairHost() override;

  bool recovered() const override { return up() && replica_->glance().in_sync; }
  /// Preconditions: up().
  pair::ReplicaStatus status() const { return replica_->status(); }
  pair::ReplicaStatus glance() const { return replica_->glance(); }
  uint64_t life() const { return life_; }
  void calm() override;
  void check_state() const;
  void add_to(Statistics& statistics) const;

 private:
  void on_start() override;
  void make_runner();
  std::optional<durability::OpenedExecutor> open_storage();
  void recover(const durability::OpenedExecutor& opened);
  const Refusals& refusals() const override { return replica_->refusals(); }
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override { return replica_->deadline(); }
  void on_crash() override;

  void carry_out(pair::Outbox& out);
  void put(const pair::Request& request);
  void end_write();
  void answered(const pair::Record& record);
  void run_next();
  void step_checkpoint();
  void pass_on(std::vector<execution::Event>& events);
  TimeUs cost(const execution::Command& command, const std::vector<execution::Event>& events);
  void apply(const execution::Command& command, std::vector<execution::Event>& events);
  void observe();

  PairSetup setup_;
  Fibers& fibers_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  Ledger& ledger_;
  uint64_t life_ = 0;
  uint64_t process_ = 0;
  std::unique_ptr<ExecutorStorage> storage_;  ///< null: nothing is kept
  bool step_waits_ = false;                   ///< for the time of the next piece of a checkpoint
  uint64_t checkpoints_seen_ = 0;
  pair::Record copy_;                     ///< on its disk
  std::optional<pair::Request> writing_;  ///< without an arbiter: on its way to the disk
  std::unique_ptr<FiberScheduler> scheduler_;
  std::unique_ptr<execution::Runner> runner_;
  std::unique_ptr<pair::Replica> replica_;
  execution::CommandQueue commands_;
  bool running_ = false;
  RollbackChecker rollbacks_;
  Statistics earlier_lives_;
};

}  // namespace eve::sim
