// Takes checkpoints while a node works: one party cuts the state between batches, the other writes
// it between syncs of the log.
//
//   idle --due--> cutting --last piece--> finishing --published--> idle
//     ^              \------------------------\----> given up -------^   (disk, another state)
//
// Invariants (docs/checkpoint.md):
//   P3  at most `bytes_in_flight` and one piece are in memory, and step() cuts one piece at most;
//   P4  taken() names a checkpoint only when it is published: the log may be cut then, not before;
//   P5  whatever goes wrong, the node goes on with the checkpoint and the log that it had.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/digest.h"
#include "durability/checkpoint_file.h"
#include "durability/checkpoint_policy.h"
#include "execution/runner.h"
#include "execution/state_export.h"
#include "journal/disk.h"

namespace eve::durability {

struct CheckpointOptions {
  CheckpointHeader header;  ///< but for the serial
  CheckpointPolicy policy;
  CheckpointRate rate;
  CheckpointFileOptions file;
  /// What one step cuts, and so how long it takes (docs/performance.md).
  size_t chunk_bytes = size_t{1} << 20;
  /// Cut and not written yet: what is cut while the disk is busy with a sync of the log.
  size_t bytes_in_flight = size_t{4} << 20;
};

/// Where in the log a version was made.
struct CheckpointPlace {
  /// Of the first note that is needed after it: the one after the run (or fetch) that made it, the
  /// last one of that number. All notes before it must be on the disk, whatever the durability: a
  /// checkpoint that outlived a part of its log would have later notes take positions before it.
  journal::Position position;
  /// What the notes before it said that those after it rest on: the view, what is quarantined.
  Bytes context;
};

class CheckpointTaker {
 public:
  /// `clock`: for step(), in microseconds. Disk and digester must outlive it.
  CheckpointTaker(journal::Disk& disk, const crypto::Digester& digester,
                  const CheckpointOptions& options, std::function<TimeUs()> clock);

  // ---- The party that has the runner ----

  /// Between commands, and when it is time(): cuts a piece if one is wanted, or begins. `log_bytes`
  /// only grows: what the log was long at the start, beyond the checkpoint that was read, and what
  /// was appended since. True: work() has something to do.
  bool step(execution::Runner& runner, uint64_t log_bytes);
  static constexpr TimeUs kNever = INT64_MAX;
  /// When step() is to be called though there was no command. kNever: not before the next one.
  TimeUs time() const;
  /// Takes one as soon as it can, whatever the policy says (after a fetch; for an operator).
  void want() { wanted_ = true; }
  /// Lets go of the runner, which is about to end.
  void stop() { export_.reset(); }

  // ---- The party that has the disk ----

  using Locate = std::function<std::optional<CheckpointPlace>(BatchNumber)>;
  /// A bounded piece of work: writes some, or checks some. True: there is more to do now. Nullopt
  /// from `locate`: it is not known any more, the checkpoint is given up.
  bool work(const Locate& locate);

  struct Taken {
    std::string name;
    BatchNumber number;
    journal::Position position;  ///< the log may be cut up to here
    uint64_t bytes = 0;
  };
  /// The checkpoint that was published since this was last asked. Older ones are removed already.
  std::optional<Taken> taken();

  // ---- Anybody ----

  /// Something of a checkpoint waits for the disk, or is on it.
  bool under_way() const;

  struct Counts {
    uint64_t taken = 0;
    uint64_t failed = 0;
    uint64_t written_bytes = 0;  ///< to the disk, of all of them
    uint64_t moved = 0;          ///< how often an export had to go on with a newer version
    TimeUs longest_step_us = 0;  ///< that a batch may have waited
    std::string trouble;         ///< of the last attempt, if it failed
  };
  Counts counts() const;

 private:
  using Piece = execution::StateExport::Piece;

  enum class Attempt : uint8_t { kNone, kGoesOn, kFailed, kPublished };

  bool begin(execution::Runner& runner, uint64_t log_bytes, TimeUs now);
  bool cut(TimeUs now);
  void learn_outcome(TimeUs now);
  void give_up(const std::string& why);
  bool verify_some();
  bool write_some(const Locate& locate);
  std::optional<Piece> next_piece();
  Status write(const Piece& piece, const Locate& locate);
  Status open_file();

  journal::Disk& disk_;
  const crypto::Digester& digester_;
  const CheckpointOptions options_;
  const std::function<TimeUs()> clock_;

  // Of the party that has the runner.
  CheckpointTimer timer_;
  CheckpointPace pace_;
  std::unique_ptr<execution::StateExport> export_;
  bool cutting_ = false;          ///< an attempt goes on, as far as this party knows
  uint64_t moved_before_ = 0;     ///< of the export, as counted already
  uint64_t log_bytes_then_ = 0;   ///< when the last one that was taken began
  uint64_t log_bytes_begun_ = 0;  ///< when the present one began
  std::atomic<bool> wanted_{false};

  // Of the party that has the disk.
  std::unique_ptr<CheckpointFile> file_;
  std::optional<Taken> finishing_;
  uint64_t counted_bytes_ = 0;

  mutable std::mutex mutex_;
  std::deque<Piece> pieces_;          ///< guarded by mutex_
  size_t piece_bytes_ = 0;            ///< guarded by mutex_
  Attempt attempt_ = Attempt::kNone;  ///< guarded by mutex_
  std::optional<Taken> taken_;        ///< guarded by mutex_
  Counts counts_;                     ///< guarded by mutex_
};

}  // namespace eve::durability
