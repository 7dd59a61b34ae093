// An executor's log, from the disk to the start of the next process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "durability/checkpoint_reader.h"
#include "durability/executor_recorder.h"
#include "durability/executor_recovery.h"
#include "durability/keeper.h"
#include "durability/log_places.h"
#include "eve/result.h"
#include "execution/recovered.h"
#include "execution/runner.h"

namespace eve::durability {

/// What open_executor() needs of whoever has the log.
struct ExecutorLogAccess {
  /// As Keeper::open(), with `ran_before` in the options.
  std::function<Status(bool ran_before, NoteVisitor& visitor, Found& found)> open;
  /// As give_up_log().
  std::function<Status(const std::string& why)> set_aside;
  /// Where the checkpoints are, and whose they must be. Null: there are none.
  journal::Disk* disk = nullptr;
  journal::Owner owner;
  /// Brings an empty runner to batch 0, where there is no checkpoint of later. Null: it is there.
  std::function<Status(execution::Runner&)> begin{};
};

struct OpenedExecutor {
  /// To be kept before anything else.
  std::vector<Note> opening_notes;
  /// For what the runner does from now on; refers to it.
  std::optional<ExecutorRecorder> recorder;
  /// Knows what the log holds up to here; to be told of what follows.
  std::unique_ptr<LogPlaces> places;
  bool at_checkpoint = false;
  bool in_pieces = false;  ///< Found's: a checkpoint would pay, whatever the policy says
  uint64_t log_bytes = 0;  ///< about: of the notes that were needed on top of the checkpoint
  /// For ExecutorOptions, where there is no checkpoint.
  TimeUs genesis_time_us = 0;
  /// For Executor::recover(); nothing at a first start, and where there is `begins`.
  std::optional<execution::Recovered> recovered;
  /// For Executor::begin(): the log is of an earlier epoch than the present one, in which this
  /// executor has said nothing. The runner stands at this committed state.
  std::optional<execution::Fetched> begins;
  /// For ExecutorOptions::restarted: what it had said is not all known. When it may speak again, a
  /// kRemembered is to be kept.
  bool restarted = false;
  std::string trouble;  ///< for people; empty: none
  /// For people, too: checkpoints that could not be used.
  std::vector<std::string> checkpoint_troubles;
};

/// Reads the newest good checkpoint, opens the log, and brings a runner to where that ends.
/// `make_runner` gives a runner
/// in the service's empty state, and takes back the one that it gave before: a log that cannot be
/// followed to its end is set aside (*.damaged) and another begun, as of an executor that has lost
/// its memory. The result is about the last runner given. `genesis`: the token of batch 0.
/// `present`: where the log is of an earlier epoch, that one begins.
///
/// Errors leave everything as it was: the disk refuses, or the log is another service's, another
/// node's, of an epoch later than `present`, or a later release's.
Result<OpenedExecutor> open_executor(const ExecutorLogAccess& log, bool ran_before,
                                     const crypto::Digester& digester,
                                     const crypto::Digest& genesis,
                                     const std::function<execution::Runner&()>& make_runner,
                                     const PresentEpoch& present = {});

}  // namespace eve::durability
