// Checkpoints of an executor that keeps its commands: what the two parties of a CheckpointTaker
// need of log and places.
#pragma once

#include <functional>

#include "durability/checkpoint_taker.h"
#include "durability/keeper.h"
#include "durability/log_places.h"

namespace eve::durability {

/// Invariant: the log is cut up to a place only when a checkpoint that begins there is on the disk,
/// and that is on the disk only when all of the log before the place is.
class ExecutorCheckpoints {
 public:
  /// `places` is shared with who writes the log. All outlive this; the disk is the keeper's.
  ExecutorCheckpoints(journal::Disk& disk, const crypto::Digester& digester, LogPlaces& places,
                      const CheckpointOptions& options, std::function<TimeUs()> clock)
      : places_(places), taker_(disk, digester, options, std::move(clock)) {}

  /// For the party that has the runner: step(), time(), want(), stop(); and counts().
  CheckpointTaker& taker() { return taker_; }
  const CheckpointTaker& taker() const { return taker_; }

  /// For the party that has the disk, when no note waits: a bounded piece of work. True: there is
  /// more to do now. An error of the log is in keeper.state().
  bool work(Keeper& keeper);

 private:
  LogPlaces& places_;
  CheckpointTaker taker_;
};

}  // namespace eve::durability
