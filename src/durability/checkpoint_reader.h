// Reading checkpoints: what one is, whether it is whole, and the state in it.
//
// Bytes are untrusted, and so is what they decode to: in memory is one frame, and what a Runner
// makes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "durability/checkpoint_format.h"
#include "eve/result.h"
#include "execution/runner.h"
#include "journal/disk.h"
#include "state/slot_ranges.h"

namespace eve::durability {

/// What a checkpoint says that it is.
struct CheckpointInfo {
  std::string name;
  CheckpointHeader header;
  CheckpointEnd end;
  uint64_t frames = 0;
  uint64_t file_bytes = 0;
};

/// Why a file could not be used.
enum class CheckpointFault : uint8_t {
  kDamaged,     ///< it is not what was written, or never was whole
  kUnreadable,  ///< the device cannot read it
  kRefused,     ///< an error that says nothing about the file: try again
  kNewer,       ///< of a later release
  kForeign,     ///< of another node or service
};

/// Goes through a file from front to back. Sums, numbers and totals are checked on the way; what
/// the chunks hold is not (CheckedChunks). After an error it is of no use any more. One thread; the
/// disk must outlive it.
class CheckpointReader {
 public:
  /// Reads header and end. `fault`, if not null, is set where the result is an error.
  static Result<std::unique_ptr<CheckpointReader>> open(journal::Disk& disk,
                                                        const std::string& name,
                                                        CheckpointFault* fault = nullptr);

  struct Frame {
    FrameKind kind = FrameKind::kVersion;
    Bytes body;
  };
  /// The next one. Nullopt: the end has been reached, and all that it says is so.
  Result<std::optional<Frame>> next();

  const CheckpointInfo& info() const { return info_; }
  /// Of the error that next() gave.
  CheckpointFault fault() const { return fault_; }
  /// How far it has come, in bytes of the file.
  uint64_t offset() const { return offset_; }

 private:
  CheckpointReader(std::string name, std::unique_ptr<journal::File> file);

  Status read_ends();
  Status read_end(const CheckpointFooter& footer);
  Result<Frame> read_frame(uint64_t offset, uint64_t index);
  Result<Bytes> read(uint64_t offset, uint64_t size);
  Status follow(const Frame& frame);
  Error damaged(const std::string& what);

  std::unique_ptr<journal::File> file_;
  CheckpointInfo info_;
  journal::Sum file_id_{};
  uint64_t end_offset_ = 0;
  CheckpointFault fault_ = CheckpointFault::kDamaged;

  uint64_t offset_ = kCheckpointHeaderBytes;
  uint64_t index_ = 0;
  std::optional<CheckpointVersion> version_;
  uint64_t chunks_ = 0;
  uint64_t chunk_bytes_ = 0;
  bool ended_ = false;
};

/// Whether chunks bring a whole state, without building it: each must be part of the state that the
/// version before it names, and all leaves of the last version must have come, with it or, where it
/// says so, before it. Of those kept it is believed that they are the same: what is in between is a
/// digest for each, which only a whole import has (docs/checkpoint.md).
class CheckedChunks {
 public:
  explicit CheckedChunks(const crypto::Digester& digester) : digester_(digester) {}

  Status take(const CheckpointReader::Frame& frame);
  /// ok: nothing is missing.
  Status whole() const;

 private:
  Status take_chunk(ByteView chunk);

  const crypto::Digester& digester_;
  crypto::Digest root_;
  std::optional<uint64_t> slots_;
  state::SlotRanges held_;
  state::SlotRanges covered_;
};

/// Checks a file a frame at a time, so that a thread with other duties can do it in between:
/// everything but what only an import can tell.
class CheckpointVerifier {
 public:
  static Result<CheckpointVerifier> open(journal::Disk& disk, const std::string& name,
                                         const crypto::Digester& digester,
                                         CheckpointFault* fault = nullptr);

  /// True when all is checked, and right.
  Result<bool> step();
  const CheckpointInfo& info() const { return reader_->info(); }
  CheckpointFault fault() const { return reader_->fault(); }
  uint64_t offset() const { return reader_->offset(); }

 private:
  CheckpointVerifier(std::unique_ptr<CheckpointReader> reader, const crypto::Digester& digester)
      : reader_(std::move(reader)), digester_(&digester), chunks_(digester) {}

  std::unique_ptr<CheckpointReader> reader_;
  const crypto::Digester* digester_;
  CheckedChunks chunks_;
};

/// Serials of whole checkpoints, newest first; and the highest in any name.
struct CheckpointFiles {
  std::vector<uint64_t> whole;
  std::vector<std::string> unfinished;
  std::vector<std::string> damaged;
  uint64_t highest = 0;
};
Result<CheckpointFiles> list_checkpoints(const journal::Disk& disk);

/// What a file says that it is, from its header and its end; O(1). For `eve doctor` and restoring.
Result<CheckpointInfo> inspect_checkpoint(journal::Disk& disk, const std::string& name,
                                          CheckpointFault* fault = nullptr);
/// The whole file; in the memory of a frame.
Result<CheckpointInfo> verify_checkpoint(journal::Disk& disk, const std::string& name,
                                         const crypto::Digester& digester,
                                         CheckpointFault* fault = nullptr);
/// Fills the empty state of `runner` with that of the file, and compares the root with the token's.
/// On an error the state is empty again.
Result<CheckpointInfo> import_checkpoint(journal::Disk& disk, const std::string& name,
                                         execution::Runner& runner,
                                         CheckpointFault* fault = nullptr);

/// What a node expects of its checkpoints. Left out: any will do (eve restore).
struct CheckpointWanted {
  std::optional<journal::Owner> owner;
  std::optional<journal::Life> life;
  crypto::Digest genesis;
  /// The log has notes from here on: a checkpoint that needs older ones is of no use.
  journal::Position log_begin{1};
};

struct CheckpointFound {
  /// Of what is in the runner now; nullopt: the state is empty.
  std::optional<CheckpointInfo> checkpoint;
  /// For people: what could not be used, and where it was put.
  std::vector<std::string> troubles;
};

/// At a start: removes what is unfinished, and imports the newest good checkpoint. A damaged one is
/// set aside (*.damaged) and the one before it tried. Errors: the disk does not list its files; a
/// file is another node's, another service's, or of a later release, which is left alone.
Result<CheckpointFound> read_checkpoint(journal::Disk& disk, const CheckpointWanted& wanted,
                                        execution::Runner& runner);

}  // namespace eve::durability
