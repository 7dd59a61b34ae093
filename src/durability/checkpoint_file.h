// Writing one checkpoint, for the thread that has the disk: in steps, between which it syncs logs.
//
//   writing --end()--> verifying --go_on()...--> published
//      \-------------------\----> given up: the file is removed, nothing else has changed
//
// Invariants (docs/checkpoint.md):
//   P1  a file has the name of a whole checkpoint only when its bytes are durable, were read back
//       from the disk, and are all there and right;
//   P2  what else the disk holds is not touched before that name is durable, and then only what
//       older checkpoints are called.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "durability/checkpoint_format.h"
#include "durability/checkpoint_reader.h"
#include "eve/result.h"
#include "journal/disk.h"

namespace eve::durability {

struct CheckpointFileOptions {
  /// Written between two syncs: so the last one, and those of logs in between, are short.
  uint64_t sync_bytes = uint64_t{8} << 20;
  /// Given up when no more than that is left: the log needs it. A disk is low at four times that
  /// (journal::LogOptions::low_bytes): a node that takes no new work because its disk is nearly
  /// full can still make room by finishing a checkpoint.
  uint64_t keep_free_bytes = uint64_t{256} << 20;
};

/// Calls block; one thread at a time. The disk and the digester must outlive it.
class CheckpointFile {
 public:
  /// Begins `checkpoint-SERIAL.new`; the serial is the highest in any name and one.
  static Result<std::unique_ptr<CheckpointFile>> create(journal::Disk& disk,
                                                        CheckpointHeader header,
                                                        const crypto::Digester& digester,
                                                        const CheckpointFileOptions& options = {});
  /// Gives it up unless it is published.
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  /// A chunk of that version; versions only get newer. After an error: give it up.
  Status add(const CheckpointVersion& version, ByteView chunk);
  /// All is there. `end` says of what, its last version; chunks and bytes are filled in.
  Status end(CheckpointEnd end);
  /// After end(), as often as it says false: a bounded piece of what is left to do. True: it is
  /// published, durable under its name.
  Result<bool> go_on();

  uint64_t written_bytes() const { return offset_; }
  uint64_t serial() const { return header_.serial; }
  std::string name() const { return checkpoint_name(header_.serial); }

 private:
  CheckpointFile(journal::Disk& disk, CheckpointHeader header, const crypto::Digester& digester,
                 const CheckpointFileOptions& options);

  Status write(ByteView bytes);
  Status write_frame(FrameKind kind, ByteView body);
  Status sync();
  Status publish();

  journal::Disk& disk_;
  CheckpointHeader header_;
  const crypto::Digester& digester_;
  const CheckpointFileOptions options_;
  const std::string unfinished_name_;

  enum class Phase : uint8_t { kWriting, kVerifying, kPublished };
  Phase phase_ = Phase::kWriting;
  std::unique_ptr<journal::File> file_;
  std::optional<CheckpointVerifier> verifier_;
  bool created_ = false;
  bool renamed_ = false;

  journal::Sum file_id_{};
  uint64_t offset_ = 0;
  uint64_t unsynced_ = 0;
  uint64_t frames_ = 0;
  std::optional<BatchNumber> version_;
  uint64_t chunks_ = 0;
  uint64_t chunk_bytes_ = 0;
};

/// Removes the checkpoints before `serial`, finished or not; damaged ones stay. Precondition:
/// `serial` is published.
Status remove_older_checkpoints(journal::Disk& disk, uint64_t serial);

}  // namespace eve::durability
