// An executor of a cluster that changes its members. It keeps no state through a crash, so it comes
// back without its memory (E10); one that was replaced goes on serving its state (M10).
#pragma once

#include <memory>

#include "execution/command_queue.h"
#include "execution/executor.h"
#include "execution/runner.h"
#include "sim/fiber_scheduler.h"
#include "sim/member_host.h"
#include "sim/statistics.h"

namespace eve::sim {

struct MemberExecutorSetup {
  uint16_t clients = 0;
  execution::MakeService make_service;
  TimeUs request_cost_us = 20;
  uint64_t switch_every = 4;
};

class MemberExecutor final : public MemberHost {
 public:
  MemberExecutor(const Surroundings& around, const MemberSurroundings& cluster, Address self,
                 TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys,
                 const MemberExecutorSetup& setup, Fibers& fibers);

  /// It has a seat and all that belongs to it.
  bool recovered() const override;
  /// Null: it has no seat.
  const execution::Executor* core() const { return executor_.get(); }
  void check_state() const;
  void add_to(Statistics& statistics) const;

 private:
  void begin(bool again) override;
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
  void apply(const execution::Command& command, std::vector<execution::Event>& events);
  void observe();

  MemberExecutorSetup setup_;
  Fibers& fibers_;
  std::unique_ptr<FiberScheduler> scheduler_;
  std::unique_ptr<execution::Runner> runner_;
  std::unique_ptr<execution::Executor> executor_;
  execution::CommandQueue commands_;
  uint64_t incarnation_ = 0;  ///< of the core: what its runner still does is nobody's
  bool running_ = false;
  BatchNumber runner_committed_;
  BatchNumber started_at_;  ///< what the cluster had committed when this core began
};

}  // namespace eve::sim
