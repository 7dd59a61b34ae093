// Bytes of a checkpoint: one committed version of an executor's state, written once from front to
// back. Pure: bytes in, values out.
//
//   file   := header frame* footer          checkpoint-SERIAL, beside the files of the log
//   frame  := frame-head body
//   frames := (version chunk*)+ end
//
// Little-endian. docs/checkpoint.md has the fields and why each is there. A chunk is what an
// Exporter cuts (state/chunk_format.h), of the version before it; there is another version where
// the export had to go on with a newer one. What the checkpoint is of is at its end, for it is not
// known before.
//
// Bytes from the disk are untrusted: nothing here throws, aborts or reads outside of what it is
// given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "journal/format.h"
#include "state/chunk_format.h"
#include "wire/messages.h"

namespace eve::durability {

inline constexpr uint32_t kCheckpointVersion = 1;
inline constexpr uint64_t kCheckpointHeaderBytes = 1024;
inline constexpr uint64_t kFrameHeadBytes = 48;
inline constexpr uint64_t kFooterBytes = 40;
/// What the owner adds: a view, and what is quarantined in it.
inline constexpr size_t kMaxCheckpointContextBytes = size_t{64} << 10;
inline constexpr size_t kMaxCheckpointFrameBytes = state::kMaxChunkBytes;

struct CheckpointHeader {
  journal::Owner owner;
  journal::Life life{};    ///< of the log that goes on from here
  crypto::Digest genesis;  ///< the token of batch 0: which service and digest the state is of
  uint64_t serial = 0;     ///< as in the file's name
};

/// A version that chunks are cut from.
struct CheckpointVersion {
  BatchNumber number;
  crypto::Digest root;
};

/// What the checkpoint is of.
struct CheckpointEnd {
  wire::TokenParts parts;
  crypto::Digest token;
  journal::Position position;  ///< notes from here on are needed after it
  Bytes context;               ///< the owner's
  uint64_t chunks = 0;
  uint64_t chunk_bytes = 0;
};

enum class FrameKind : uint32_t { kVersion = 1, kChunk = 2, kEnd = 3 };

struct FrameHead {
  FrameKind kind = FrameKind::kVersion;
  uint32_t length = 0;  ///< of the body
  uint64_t index = 0;   ///< frames of a file are numbered from 0
  journal::Sum body{};
};

struct CheckpointFooter {
  uint64_t end_offset = 0;  ///< of the end's frame head
  uint64_t frames = 0;
};

/// kCheckpointHeaderBytes. Precondition: parts of the owner have at most kMaxOwnerBytes.
Bytes encode(const CheckpointHeader& header);
/// Nullopt if it is damaged, or (`why`) of a later release.
std::optional<CheckpointHeader> decode_checkpoint_header(ByteView bytes,
                                                         journal::BadHeader* why = nullptr);
/// The header's sum. All other sums of the file cover it: a block of another file never fits.
journal::Sum file_id(ByteView encoded_header);

/// kFrameHeadBytes.
Bytes encode(const FrameHead& head, const journal::Sum& file);
/// Nullopt unless its sum holds. Says nothing about the body.
std::optional<FrameHead> decode_frame_head(ByteView bytes, const journal::Sum& file);

Bytes encode(const CheckpointVersion& version);
std::optional<CheckpointVersion> decode_version(ByteView body);
Bytes encode(const CheckpointEnd& end);
std::optional<CheckpointEnd> decode_end(ByteView body);

/// kFooterBytes.
Bytes encode(const CheckpointFooter& footer, const journal::Sum& file);
std::optional<CheckpointFooter> decode_footer(ByteView bytes, const journal::Sum& file);

/// "checkpoint-00000000000000ff": no log's file, for it does not end in ".log".
std::string checkpoint_name(uint64_t serial);
/// Nullopt: no checkpoint, in any state. kSegment: a whole one.
std::optional<journal::FileName> parse_checkpoint_name(const std::string& file);

}  // namespace eve::durability
