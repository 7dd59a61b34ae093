// An executor of a cluster that changes its members. It keeps its commands on a disk, through all
// epochs; or nothing, and then it comes back without its memory (E10). One that was replaced goes
// on serving its state (M10).
//
//   link kept -> note of the epoch durable -> core of the epoch (docs/membership.md, M6, M12)
#pragma once

#include <memory>

#include "execution/command_queue.h"
#include "execution/executor.h"
#include "execution/learner.h"
#include "execution/runner.h"
#include "sim/executor_storage.h"
#include "sim/fiber_scheduler.h"
#include "sim/member_host.h"
#include "sim/statistics.h"

namespace eve::sim {

struct MemberExecutorSetup {
  uint16_t clients = 0;
  execution::MakeService make_service;
  TimeUs request_cost_us = 20;
  uint64_t switch_every = 4;
  StoragePlan storage;
};

class MemberExecutor final : public MemberHost {
 public:
  MemberExecutor(const Surroundings& around, const MemberSurroundings& cluster, Address self,
                 TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys,
                 const MemberExecutorSetup& setup, Fibers& fibers);

  /// It has a seat and all that belongs to it.
  bool recovered() const override;
  void calm() override;
  /// Null: it has no seat, or its epoch is not noted yet.
  const execution::Executor* core() const { return executor_.get(); }
  /// Null: it has, or had, a seat.
  const execution::Learner* learner() const { return learner_.get(); }
  void check_state() const;
  void add_to(Statistics& statistics) const;

 private:
  using Events = std::shared_ptr<std::vector<execution::Event>>;

  void begin(bool again) override;
  void end_core() override;
  void open(bool again);
  void make_runner();
  void take_seat(const durability::OpenedExecutor& from);
  void learn(const durability::OpenedExecutor& from);
  void note_what_was_found(const durability::OpenedExecutor& opened);
  void hear(const wire::Message& message, Address from, TimeUs now) override;
  const Refusals& refusals() const override;
  void on_start() override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override;
  void on_crash() override;
  void serve(const wire::Message& message, Address from);
  void carry_out(execution::Outbox& out);
  void run_next();
  /// Notes it, too: `done` is called when that is durable.
  void apply(const execution::Command& command, const Events& events, NoteJournal::Done done);
  void pass_on(const Events& events);
  void step_checkpoint();
  void observe();
  void observe_learner() const;

  MemberExecutorSetup setup_;
  Fibers& fibers_;
  std::unique_ptr<FiberScheduler> scheduler_;
  std::unique_ptr<execution::Runner> runner_;
  std::unique_ptr<execution::Executor> executor_;
  std::unique_ptr<execution::Learner> learner_;  ///< before it has a seat (M14)
  std::unique_ptr<ExecutorStorage> storage_;     ///< null: it keeps nothing
  bool forgot_ = false;                          ///< and has not made up for it
  View kept_view_;                               ///< that the log has
  bool step_waits_ = false;
  execution::CommandQueue commands_;
  uint64_t incarnation_ = 0;  ///< of the core: what its runner still does is nobody's
  bool running_ = false;
  BatchNumber runner_committed_;
  BatchNumber started_at_;  ///< what the cluster had committed when this core began
};

}  // namespace eve::sim
