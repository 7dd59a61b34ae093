// Which part of an executor's log a checkpoint leaves needed: where its notes lead beyond which
// batch, and in which view they were made.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "durability/checkpoint_taker.h"
#include "durability/executor_notes.h"
#include "journal/log.h"

namespace eve::durability {

/// Invariant: on top of the state of batch n, the notes from place_of(n).position on lead to where
/// all notes lead: none before it reaches beyond n, and its context is epoch and view that it is
/// in. An earlier position does as well (executor_recovery.h passes by what the state holds
/// already), so not every batch is remembered.
///
/// Thread safety: any. Who writes the log tells, who has the disk asks.
class LogPlaces {
 public:
  /// The notes from `position` on are told of; before it lies batch `number`, in this view.
  void begin_at(journal::Position position, BatchNumber number, LogContext context);
  /// A note that makes a state of batch `number`, a run or a fetch, begins here. In order of
  /// positions, as all that follow.
  void reaches(BatchNumber number, journal::Position first);
  void entered(execution::EnterView view, journal::Position position);
  /// What was the view is forgotten.
  void entered(Epoch epoch, journal::Position position);
  /// Nothing is at or above this position yet.
  void ends_at(journal::Position end);

  /// At `most` or before. Nullopt: that part of the log is forgotten.
  std::optional<CheckpointPlace> place_of(BatchNumber number, journal::Position most) const;
  /// What lies before is gone, or about to go: a checkpoint of batch `number` is in its place.
  void cut(journal::Position position, BatchNumber number);

  size_t remembered() const;

 private:
  struct Place {
    journal::Position position;
    BatchNumber before;  ///< no note before it reaches beyond this batch
  };

  mutable std::mutex mutex_;
  std::deque<Place> places_;                                       ///< both parts grow
  std::deque<std::pair<journal::Position, LogContext>> contexts_;  ///< by position; one at least
  BatchNumber most_;
  journal::Position end_{1};
};

}  // namespace eve::durability
