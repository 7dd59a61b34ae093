// Drives the Executors of one node, one an epoch, and their ExecutionStage.
//
//   begin_epoch: commands --> BeginEpoch --> (kept) --> EpochBegun --> another Executor, or none
//
// Between the two there is no Executor, and nothing is heard (M6). One that was replaced goes on
// serving its state (M10); one that is about to come learns (M14).
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "execution/executor.h"
#include "execution/learner.h"
#include "runtime/execution_stage.h"
#include "runtime/executor_memory.h"
#include "runtime/host.h"
#include "runtime/outlet.h"
#include "runtime/room_book.h"
#include "runtime/seating.h"
#include "runtime/token_book.h"

namespace eve::runtime {

struct ExecutorHostOptions {
  FaultModel model{1, 0};
  Address node;  ///< the role's address, for ever
  uint16_t clients = 0;
  size_t threads = 1;
  execution::MakeService make_service;
  ExecutorMemoryOptions memory;
};

class ExecutorHost final : public Host {
 public:
  /// Recovers what `options.memory` says that there may be: that may take long. References outlive
  /// the host.
  static Result<std::unique_ptr<ExecutorHost>> create(EventLoop& loop, Outlet& outlet,
                                                      const crypto::Digester& digester,
                                                      const ExecutorHostOptions& options,
                                                      const Seating& seating);
  /// Marks the log's orderly end, if the disk lets it.
  ~ExecutorHost() override;

  /// Another epoch: after start(). The state goes on; all else begins anew. An error, of the disk,
  /// leaves everything as it was.
  Status begin_epoch(const Seating& seating);

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  /// It has a seat, and the epoch has begun.
  bool seated() const { return executor_ != nullptr; }
  /// The executor's; `waiting_for` names the disk when that is what it waits for.
  execution::ExecutorStatus status() const;
  /// Nullopt: it has, or had, a seat.
  std::optional<execution::LearnerStatus> learner() const;
  /// As Executor::recent().
  std::vector<execution::Executor::Committed> recent() const;
  /// Nullopt: nothing is kept.
  std::optional<JournalStatus> journal() const;
  /// As journal().
  std::optional<durability::CheckpointTaker::Counts> checkpoints() const;
  /// Takes a checkpoint soon. False: nothing is kept.
  bool want_checkpoint();
  /// An agreed batch of the last while.
  std::optional<execution::Executor::Committed> committed(BatchNumber number);
  ExecutionStage::Counts counts() { return stage_.counts(); }

 private:
  ExecutorHost(EventLoop& loop, Outlet& outlet, const crypto::Digester& digester,
               const ExecutorHostOptions& options, const Seating& seating);
  Status remember();
  Status recover();
  Status mark_epoch(const Seating& seating) const;
  void make_executor(bool restarted);
  void begin_executor(const execution::EpochBegun& begun, TimeUs now);
  void start_learner(const execution::Fetched* held, TimeUs now);
  void happened(execution::Event event, TimeUs now);
  void pass_on_refusals(const Refusals& refusals, TimeUs now);
  void serve(const wire::Message& message, Address from);
  /// Passes on what the executor wants. True if it wanted anything.
  bool hand_out();
  /// Looks at the disk: one that does not keep up makes a bad primary, and clients are told of low
  /// ones.
  void watch_disk(TimeUs now);
  void say_remembered();
  void remembers();
  bool work_on_checkpoint(durability::Keeper& keeper);

  EventLoop& loop_;
  Outlet& outlet_;
  const crypto::Digester& digester_;
  const ExecutorHostOptions options_;
  Seating seating_;
  ExecutionStage stage_;
  TimeUs genesis_time_us_ = 0;
  std::unique_ptr<execution::Executor> executor_;  ///< null: no seat, or an epoch is beginning
  std::unique_ptr<execution::Learner> learner_;    ///< in its place, before it has a seat
  execution::ExecutorStatus last_;                 ///< of the one before
  execution::Outbox outbox_;
  RefusalsSeen refusals_seen_;
  TokenBook tokens_;
  std::unique_ptr<PosixDisk> disk_;  ///< null: nothing is kept
  std::unique_ptr<durability::LogPlaces> places_;
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints_;
  std::unique_ptr<JournalThread> journal_;
  std::vector<Address> clients_;
  RoomBook verifiers_room_;  ///< what verifiers say of their disks
  DiskWatch watch_;
  bool said_low_ = false;
  std::optional<execution::Recovered> recovered_;  ///< until start()
  std::optional<execution::Fetched> begins_;       ///< until start()
  bool forgot_ = false;                            ///< and has not said yet that it may speak again
  Epoch spoke_until_;                              ///< in earlier lives, at most
  View view_;                                      ///< the last one that the log has
  bool stopped_ = false;                           ///< its log turned out to be damaged
  size_t serving_ = 0;                             ///< requests for state, where there is no seat
};

}  // namespace eve::runtime
