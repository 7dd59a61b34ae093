// Writes down what a Runner has been told to do, for executor_recovery.h to do again.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "durability/executor_notes.h"
#include "durability/keeper.h"
#include "execution/commands.h"
#include "execution/runner.h"
#include "journal/log.h"

namespace eve::durability {

/// What one command leaves in the log.
struct Recorded {
  std::vector<Note> notes;
  /// kDurable: the command's events are passed on when the notes are durable, and not before.
  Keeper::Until until = Keeper::Until::kLater;
  std::optional<BatchNumber> run;  ///< of which the last note tells
};

/// Invariant: the events of a command are passed on after its notes and those of all before it are
/// as durable as `until` says. So whatever follows from having run a batch follows its record.
///
/// Thread safety: as the Runner's.
class ExecutorRecorder {
 public:
  /// `runner` must outlive this.
  explicit ExecutorRecorder(const execution::Runner& runner) : runner_(&runner) {}

  /// Precondition: `command` has just been carried out, nothing after it, and these are its events.
  /// Error: the runner does not hold the difference of what it has just run.
  Result<Recorded> record(const execution::Command& command,
                          const std::vector<execution::Event>& events);

  /// A run that is in the log, or was given to it, at this position: for needed_from(). In order of
  /// positions.
  void run_is_at(BatchNumber number, journal::Position position);
  /// Nothing is at or above this position yet.
  void log_ends_at(journal::Position end) { next_ = end; }
  /// Where the log begins that is needed on top of the state of committed batch `number`.
  journal::Position needed_from(BatchNumber number) const;
  /// What lies before is gone, or about to go.
  void forget_before(journal::Position position);

 private:
  Status record_run(const execution::RunBatch& command, const execution::BatchExecuted& executed,
                    std::vector<Note>& notes);

  const execution::Runner* runner_;  ///< outlives this
  journal::Position next_;
  std::deque<std::pair<journal::Position, BatchNumber>> runs_;  ///< by position
};

}  // namespace eve::durability
