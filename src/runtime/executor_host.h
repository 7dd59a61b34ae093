// Drives one Executor and its ExecutionStage.
#pragma once

#include <memory>

#include "execution/executor.h"
#include "runtime/execution_stage.h"
#include "runtime/host.h"
#include "runtime/router.h"

namespace eve::runtime {

class ExecutorHost final : public Host {
 public:
  /// `options.genesis` is filled in here, from the stage's empty state.
  ExecutorHost(EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
               const crypto::Digester& digester, execution::ExecutorOptions options, size_t threads,
               const execution::MakeService& make_service);

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override { return executor_->deadline(); }
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  const execution::Executor& executor() const { return *executor_; }
  ExecutionStage::Counts counts() { return stage_.counts(); }

 private:
  /// Passes on what the executor wants. True if it wanted anything.
  bool hand_out();

  Router& router_;
  Address address_;
  ExecutionStage stage_;
  std::unique_ptr<execution::Executor> executor_;
  execution::Outbox outbox_;
  RefusalsSeen refusals_seen_;
};

}  // namespace eve::runtime
