// Drives one Executor and its ExecutionStage.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "execution/executor.h"
#include "runtime/execution_stage.h"
#include "runtime/executor_memory.h"
#include "runtime/host.h"
#include "runtime/room_book.h"
#include "runtime/router.h"

namespace eve::runtime {

class ExecutorHost final : public Host {
 public:
  /// Filled in here: `options.genesis` from the stage's empty state, `options.restarted` from what
  /// is found on disk. Recovers what `memory` says that there may be: that may take long.
  static Result<std::unique_ptr<ExecutorHost>> create(
      EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
      const crypto::Digester& digester, execution::ExecutorOptions options, size_t threads,
      const execution::MakeService& make_service, const ExecutorMemoryOptions& memory);
  /// Marks the log's orderly end, if the disk lets it.
  ~ExecutorHost() override;

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override {
    if (stopped_) return kNever;
    return std::min(executor_->deadline(), watch_.due());
  }
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  /// The executor's; `waiting_for` names the disk when that is what it waits for.
  execution::ExecutorStatus status() const;
  const execution::Executor& executor() const { return *executor_; }
  /// Nullopt: nothing is kept.
  std::optional<JournalStatus> journal() const;
  /// As journal().
  std::optional<durability::CheckpointTaker::Counts> checkpoints() const;
  /// Takes a checkpoint soon. False: nothing is kept.
  bool want_checkpoint();
  ExecutionStage::Counts counts() { return stage_.counts(); }

 private:
  ExecutorHost(EventLoop& loop, Router& router, const crypto::Digester& digester,
               const execution::ExecutorOptions& options, size_t threads,
               const execution::MakeService& make_service);
  Status recover(EventLoop& loop, const execution::ExecutorOptions& options,
                 const crypto::Authenticator& authenticator, const crypto::Digester& digester,
                 const ExecutorMemoryOptions& memory);
  /// Passes on what the executor wants. True if it wanted anything.
  bool hand_out();
  /// Looks at the disk: one that does not keep up makes a bad primary, and clients are told of low
  /// ones.
  void watch_disk(TimeUs now);
  void say_remembered();
  bool work_on_checkpoint(durability::Keeper& keeper);

  Router& router_;
  Address address_;
  ExecutionStage stage_;
  std::unique_ptr<execution::Executor> executor_;
  execution::Outbox outbox_;
  RefusalsSeen refusals_seen_;
  std::unique_ptr<PosixDisk> disk_;  ///< null: nothing is kept
  std::unique_ptr<durability::LogPlaces> places_;
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints_;
  std::unique_ptr<JournalThread> journal_;
  std::vector<Address> clients_;
  RoomBook verifiers_room_;  ///< what verifiers say of their disks
  DiskWatch watch_;
  bool said_low_ = false;
  std::optional<execution::Recovered> recovered_;  ///< until start()
  bool forgot_ = false;                            ///< and has not said yet that it may speak again
  View view_;                                      ///< the last one that the log has
  bool stopped_ = false;                           ///< its log turned out to be damaged
};

}  // namespace eve::runtime
