// Bytes of the log: names, segment headers, groups of records. Pure: bytes in, values out.
//
//   segment := header-block group*                  a file NAME-SERIAL.log
//   group   := group-header record* zeroes          begins on a block boundary, one write
//   record  := kind:2 number:8 length:4 payload
//
// Little-endian. docs/journal.md has the fields and why each is there.
//
// Bytes from the disk are untrusted: nothing here throws, aborts or reads outside of what it is
// given.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/ids.h"
#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::journal {

/// Place of a record in its log, from 1; never reused, except for records that were not
/// acknowledged before a crash.
using Position = StrongId<struct PositionTag, uint64_t>;

inline constexpr uint32_t kFormatVersion = 1;
/// What a write begins on: a block that was acknowledged is never written again.
inline constexpr uint64_t kBlockBytes = 4096;
/// What a disk writes whole or not at all.
inline constexpr uint64_t kPieceBytes = 512;
/// A group is closed when it has this many bytes; one larger record is a group of its own.
inline constexpr uint64_t kGroupBytes = uint64_t{1} << 20;
inline constexpr size_t kMaxOwnerBytes = 255;  ///< of each part of an owner

/// Checksum: XXH3-128. Against accidents, not against forgers.
using Sum = std::array<uint8_t, 16>;
/// Random; drawn when a log is made. Clients never learn it, so no payload can pretend to be a
/// group.
using Life = std::array<uint8_t, 16>;

/// Whose log it is, in words for a person.
struct Owner {
  std::string cluster;  ///< the cluster's id
  std::string node;     ///< role, index and key of the node
  bool operator==(const Owner&) const = default;
};

struct SegmentHeader {
  Owner owner;
  std::string log;  ///< LogOptions::name
  Life life{};
  uint64_t serial = 0;
  uint64_t after = 0;           ///< serial of the segment that this one continues; 0: none
  uint64_t opened = 0;          ///< how often the log had been opened, this process included
  uint64_t first_group = 0;     ///< groups are numbered from 1 through the whole log
  Position first;               ///< of the first record
  Sum chain{};                  ///< of the group before first_group
  uint64_t settled = 0;         ///< groups below it were durable before the file got its name
  bool keeps_replaced = false;  ///< files between `after` and this one are evidence: set aside
};

struct GroupHeader {
  Life life{};
  uint64_t serial = 0;
  uint64_t offset = 0;  ///< in the segment
  uint64_t group = 0;
  uint64_t settled = 0;  ///< groups below it had been acknowledged when this one was written
  Position first;        ///< of its first record
  uint32_t records = 0;  ///< 0: a mark
  bool closes = false;   ///< the process that wrote it wrote nothing more
  /// Pieces of header and body that are all zeroes by right: more of them were never written.
  uint32_t zero_pieces = 0;
  uint32_t body_bytes = 0;
  Sum chain{};  ///< of the group before it
  Sum body{};   ///< checksum of the body
};

inline constexpr uint64_t kGroupHeaderBytes = 128;
inline constexpr uint64_t kRecordHeaderBytes = 14;

uint64_t round_up_to_block(uint64_t bytes);
/// Bytes that a group takes in its file.
uint64_t group_bytes(const GroupHeader& header);

Sum checksum(ByteView bytes);

/// One block. Precondition: each part of the owner has at most kMaxOwnerBytes, the name too.
Bytes encode(const SegmentHeader& header);
/// Errors tell damage (`newer` false) from a format of a later release.
struct BadHeader {
  bool newer = false;
  uint32_t version = 0;
};
std::optional<SegmentHeader> decode_segment_header(ByteView block, BadHeader* why = nullptr);

/// kGroupHeaderBytes.
Bytes encode(const GroupHeader& header);
/// Nullopt unless its own checksum holds. Says nothing about the body.
std::optional<GroupHeader> decode_group_header(ByteView bytes);
/// The value that the next group's `chain` must have; it covers the header, and so body and
/// predecessors.
Sum chain_of(ByteView encoded_header);

void append_record(Bytes& body, uint16_t kind, uint64_t number, ByteView payload);
/// Calls `visit(kind, number, payload)` for each; false if the bytes are not `records` records, or
/// if `visit` said so.
using RecordVisit = std::function<bool(uint16_t kind, uint64_t number, ByteView payload)>;
bool for_each_record(ByteView body, uint32_t records, const RecordVisit& visit);

/// How many pieces of `bytes` (which begin on a piece) are all zeroes.
uint32_t count_zero_pieces(ByteView bytes);
bool all_zero(ByteView bytes);

/// "NAME-00000000000000ff.log"
std::string segment_name(const std::string& log, uint64_t serial);
std::string reserve_name(const std::string& log);

enum class FileKind : uint8_t { kSegment, kUnfinished, kDamaged };
inline constexpr const char* kUnfinishedSuffix = ".new";
inline constexpr const char* kDamagedSuffix = ".damaged";
struct FileName {
  uint64_t serial = 0;
  FileKind kind = FileKind::kSegment;
};
/// Nullopt: not a segment of this log, in any state.
std::optional<FileName> parse_name(const std::string& log, const std::string& file);

}  // namespace eve::journal
