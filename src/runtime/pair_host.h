// Drives one pair::Replica, its ExecutionStage, its log and its Arbiter.
#pragma once

#include <functional>
#include <memory>

#include "pair/replica.h"
#include "runtime/arbiter.h"
#include "runtime/execution_stage.h"
#include "runtime/host.h"
#include "runtime/pair_memory.h"
#include "runtime/room_book.h"
#include "runtime/router.h"
#include "runtime/token_book.h"

namespace eve::runtime {

class PairHost final : public Host {
 public:
  using MakeStage = std::function<std::unique_ptr<ExecutionStage>()>;

  /// Filled in here: `options.genesis` and `options.genesis_time_us` from the cluster's or the
  /// stage's empty state, `options.life` and `options.process`. Recovers what `memory` says that
  /// there may be: that may take long. References outlive the host.
  static Result<std::unique_ptr<PairHost>> create(
      EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
      const crypto::Digester& digester, pair::ReplicaOptions options, MakeStage make_stage,
      std::unique_ptr<Arbiter> arbiter, ExecutorMemoryOptions memory);
  /// Marks the log's orderly end, if the disk lets it.
  ~PairHost() override;

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  const pair::Replica& replica() const { return *replica_; }
  const Arbiter& arbiter() const { return *arbiter_; }
  /// Takes a checkpoint soon. False: nothing is kept.
  bool want_checkpoint();
  /// An agreed batch of the last while.
  std::optional<execution::Executor::Committed> committed(BatchNumber number);
  ExecutionStage::Counts counts() { return stage_->counts(); }
  /// The replica's; `waiting_for` names the disk when that is what it waits for.
  pair::ReplicaStatus status() const;
  /// Nullopt: nothing is kept.
  std::optional<JournalStatus> journal() const;
  /// As journal().
  std::optional<durability::CheckpointTaker::Counts> checkpoints() const;

 private:
  PairHost(EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester, pair::ReplicaOptions options, MakeStage make_stage,
           std::unique_ptr<Arbiter> arbiter, ExecutorMemoryOptions memory);
  /// `anew`: with another life, and nothing of what was.
  Status make_replica(bool anew);
  Status remember(bool anew, std::optional<execution::Recovered>& recovered);
  void start_over(TimeUs now);
  bool work_on_checkpoint(durability::Keeper& keeper);
  /// Looks at the disk. The other replica is told when it is low, and clients when nobody else can
  /// do without it.
  void watch_disk(TimeUs now);
  /// Passes on what the replica wants. True if it wanted anything.
  bool hand_out();

  EventLoop& loop_;
  Router& router_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  pair::ReplicaOptions options_;
  MakeStage make_stage_;
  std::unique_ptr<Arbiter> arbiter_;
  const ExecutorMemoryOptions memory_;
  std::unique_ptr<ExecutionStage> stage_;
  std::unique_ptr<PosixDisk> disk_;  ///< null: nothing is kept
  std::unique_ptr<durability::LogPlaces> places_;
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints_;
  std::unique_ptr<JournalThread> journal_;
  std::unique_ptr<pair::Replica> replica_;
  pair::Outbox outbox_;
  RefusalsSeen refusals_seen_;
  TokenBook tokens_;
  std::vector<Address> clients_;
  RoomBook other_room_;  ///< what the other replica says of its disk
  DiskWatch watch_;
  bool said_low_ = false;
  bool stopped_ = false;  ///< its log turned out to be damaged, or another cannot be begun
};

}  // namespace eve::runtime
