// An executor in the simulated world: the Executor, the Runner behind it, and the virtual time that
// running takes.
#pragma once

#include <deque>
#include <memory>
#include <set>

#include "durability/disk_pace.h"
#include "execution/command_queue.h"
#include "execution/executor.h"
#include "execution/runner.h"
#include "sim/conduct.h"
#include "sim/executor_storage.h"
#include "sim/fiber_scheduler.h"
#include "sim/host.h"
#include "sim/ledger.h"
#include "sim/rollback_checker.h"
#include "sim/statistics.h"

namespace eve::sim {

struct ExecutorSetup {
  execution::ExecutorOptions options;
  execution::MakeService make_service;
  TimeUs request_cost_us = 20;  ///< in steady surroundings: of a batch
  uint64_t switch_every = 4;
  SequentialChecker* sequential = nullptr;  ///< null: runs in order may differ
  SilenceConduct* silence = nullptr;        ///< null: nobody listens
  StoragePlan storage;
};

class ExecutorHost final : public Host {
 public:
  /// The references outlive the host.
  ExecutorHost(const Surroundings& around, const ExecutorSetup& setup, TimeUs clock_offset,
               uint64_t seed, Fibers& fibers, const crypto::Authenticator& authenticator,
               const crypto::Digester& digester, Ledger& ledger);
  ~ExecutorHost() override;

  bool recovered() const override;
  bool broken() const override { return storage_ != nullptr && storage_->broken(); }
  void calm() override;
  /// Precondition: up().
  execution::ExecutorStatus status() const { return executor_->status(); }
  execution::ExecutorStatus glance() const { return executor_->glance(); }
  /// The state, hashed anew, is what the tree says it is. Precondition: up().
  void check_state() const;
  /// How long the longest batch took.
  TimeUs longest_run() const { return longest_run_us_; }
  /// Counters of all lives.
  void add_to(Statistics& statistics) const;

 private:
  void on_start() override;
  const Refusals& refusals() const override { return executor_->refusals(); }
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override { return executor_->deadline(); }
  void on_crash() override;

  void make_runner();
  void make_executor(bool restarted);
  void recover(const durability::OpenedExecutor& opened);
  void carry_out(execution::Outbox& out);
  void run_next();
  void step_checkpoint();
  void apply(const execution::Command& command, std::vector<execution::Event>& events);
  void keep(const execution::Command& command,
            std::shared_ptr<std::vector<execution::Event>> events);
  /// One whose disk does not keep up does not lead (E13).
  void look_at_disk_soon();
  void pass_on(std::vector<execution::Event>& events);
  void happened(execution::Event& event);
  /// Counts the sites that only the host of an executor can tell apart.
  void witness(const wire::Message& message, Address from);
  TimeUs cost(const execution::Command& command, const std::vector<execution::Event>& events);
  void observe();
  void check_bounds(bool new_view);

  ExecutorSetup setup_;
  Fibers& fibers_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  Ledger& ledger_;

  std::unique_ptr<FiberScheduler> scheduler_;
  std::unique_ptr<execution::Runner> runner_;
  std::unique_ptr<execution::Executor> executor_;
  execution::CommandQueue commands_;
  TimeUs longest_run_us_ = 0;
  std::unique_ptr<ExecutorStorage> storage_;  ///< null: nothing is kept
  bool forgot_ = false;                       ///< and has not said yet that it may speak again
  std::deque<TimeUs> waits_;                  ///< since when what was given to the disk waits
  durability::DiskPace pace_;
  bool looking_ = false;  ///< at the disk, soon
  View kept_view_;        ///< the last one that the log has
  bool running_ = false;
  uint64_t checkpoints_seen_ = 0;
  bool step_waits_ = false;         ///< for its time
  std::set<Address> sources_;       ///< of the fetch under way: who sent nodes
  bool fetching_ = false;           ///< a StartFetch has not come to its end
  execution::ExecutorStatus seen_;  ///< as of the last look
  size_t window_bundles_ = 0;       ///< as of the last look
  size_t dropped_bundles_ = 0;      ///< by new views, in this life, at most
  RollbackChecker rollbacks_;
  ViewChecker views_;
  BatchNumber restarted_at_;  ///< what the cluster had committed when this life began
  Statistics earlier_lives_;
};

}  // namespace eve::sim
