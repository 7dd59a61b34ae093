// What writer and reader of a log share: records, who owns a log, and what recovery found.
// docs/journal.md states the invariants (J1 to J9) and the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eve/bytes.h"
#include "journal/format.h"

namespace eve::journal {

/// One record as it was appended. `payload` is the reader's and gone when the visit returns.
struct Record {
  Position position;
  uint16_t kind = 0;    ///< the caller's
  uint64_t number = 0;  ///< the caller's: a batch, a view; need not grow
  ByteView payload;
};

/// Options of one log. Several logs may live on one disk under different names.
struct LogOptions {
  std::string name = "log";  ///< letters and digits; the first part of every file's name
  Owner owner;
  /// A new segment begins before a flush that would make this one longer.
  uint64_t segment_bytes = uint64_t{64} << 20;
  /// Small flushes go to zeroes that were written ahead, so many at a time: a file that grows with
  /// each of them costs the file system a transaction each. 0: none.
  uint64_t extend_bytes = uint64_t{1} << 20;
  /// Kept in a file that is given up when a write fails for want of room. 0: no such file.
  uint64_t reserve_bytes = uint64_t{16} << 20;
  /// With less than this free, space() says kLow.
  uint64_t low_bytes = uint64_t{1} << 30;
};

/// How the log ends.
enum class Tail : uint8_t {
  /// With the mark of an orderly end (LogWriter::close). Whatever was acknowledged is here.
  kClosed,
  /// With a whole group and nothing after it. If the disk lost the whole last flush although it
  /// said that it was durable, that looks the same.
  kOpen,
  /// With a group of which pieces were never written: a flush that a crash interrupted. Loss of
  /// such pieces after they were acknowledged looks the same.
  kTorn,
};

struct Damage {
  std::string file;
  uint64_t offset = 0;
  std::string what;
};

/// What was found on the disk.
struct Recovery {
  /// No segment of this log: a first start, or everything is lost. The log cannot tell, unless
  /// `kept` says that there was one.
  bool empty = true;
  /// Files that were set aside at an earlier time.
  std::vector<std::string> kept;
  /// Records begin <= position < end were visited, in order.
  Position begin{1};
  Position end{1};
  /// Records below it were acknowledged by an earlier process, for certain; from there on they may
  /// have been.
  Position settled{1};
  Tail tail = Tail::kOpen;
  /// Bytes of the torn tail.
  uint64_t cut_bytes = 0;
  /// Not empty: acknowledged records from `end` on are lost or unreadable.
  std::vector<Damage> damage;
  /// With damage: readable groups say that records below this existed once.
  Position known_end{1};
  /// How often the log has been opened. A peer that has heard of a higher number knows that this
  /// disk is an old copy.
  uint64_t opened = 0;

  // ---- For LogWriter::resume() ----

  struct Segment {
    uint64_t serial = 0;
    Position first;
  };
  /// The good ones that stay, oldest first.
  std::vector<Segment> segments;
  /// Groups that go into the new segment: from `offset` of `file` on, up to next_group.
  struct Copy {
    std::string file;
    uint64_t offset = 0;
    uint64_t group = 1;
    Position first{1};
    Sum chain{};
  };
  Copy copy;
  uint64_t next_group = 1;
  Life life{};
  uint64_t highest_serial = 0;          ///< in any name, good or bad
  std::vector<std::string> set_aside;   ///< damaged, or after damage: renamed
  std::vector<std::string> surplus;     ///< replaced: removed
  std::vector<std::string> unfinished;  ///< removed first
};

}  // namespace eve::journal
