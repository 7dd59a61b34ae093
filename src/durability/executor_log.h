// An executor's log, from the disk to the start of the next process.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "durability/executor_recorder.h"
#include "durability/keeper.h"
#include "eve/result.h"
#include "execution/recovered.h"
#include "execution/runner.h"

namespace eve::durability {

/// What open_executor() needs of whoever has the log.
struct ExecutorLogAccess {
  /// As Keeper::open(), with `ran_before` in the options.
  std::function<Status(bool ran_before, NoteVisitor& visitor, Found& found)> open;
  /// As journal::set_aside_log().
  std::function<Status()> set_aside;
};

struct OpenedExecutor {
  /// To be kept before anything else.
  std::vector<Note> opening_notes;
  /// For what the runner does from now on; refers to it.
  std::optional<ExecutorRecorder> recorder;
  /// For Executor::recover(); nothing at a first start.
  std::optional<execution::Recovered> recovered;
  /// For ExecutorOptions::restarted: what it had said is not all known. When it may speak again, a
  /// kRemembered is to be kept.
  bool restarted = false;
  std::string trouble;  ///< for people; empty: none
};

/// Opens the log and brings a runner to where it ends. `make_runner` gives a runner
/// in the service's empty state, and takes back the one that it gave before: a log that cannot be
/// followed to its end is set aside (*.damaged) and another begun, as of an executor that has lost
/// its memory. The result is about the last runner given. `genesis`: as ExecutorOptions::genesis.
///
/// Errors leave everything as it was: the disk refuses, or the log is another service's, another
/// node's, or a later release's.
Result<OpenedExecutor> open_executor(const ExecutorLogAccess& log, bool ran_before,
                                     const crypto::Digester& digester,
                                     const crypto::Digest& genesis,
                                     const std::function<execution::Runner&()>& make_runner);

}  // namespace eve::durability
