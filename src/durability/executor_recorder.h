// Writes down what a Runner has been told to do, for executor_recovery.h to do again.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "durability/executor_notes.h"
#include "durability/keeper.h"
#include "durability/log_places.h"
#include "execution/commands.h"
#include "execution/runner.h"

namespace eve::durability {

/// What one command leaves in the log.
struct Recorded {
  std::vector<Note> notes;
  /// kDurable: the command's events are passed on when the notes are durable, and not before.
  Keeper::Until until = Keeper::Until::kLater;
  std::optional<BatchNumber> reaches;  ///< of which batch they make a state (LogPlaces)
  std::optional<execution::EnterView> entered;
  std::optional<Epoch> epoch;  ///< entered with the last note

  /// They are in the log now, from `first` up to before `end`.
  void tell(LogPlaces& places, journal::Position first, journal::Position end) const;
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

 private:
  Status record_run(const execution::RunBatch& command, const execution::BatchExecuted& executed,
                    std::vector<Note>& notes);

  const execution::Runner* runner_;  ///< outlives this
};

}  // namespace eve::durability
