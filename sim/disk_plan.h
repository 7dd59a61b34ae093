// What goes wrong with a virtual disk, and how often.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/random.h"

namespace eve::sim {

enum class DiskFault : uint8_t {
  // ---- at a crash; journal/disk.h promises nothing else
  kUnsyncedLost,  ///< of a file, all that was written since its last sync
  kTornWrite,     ///< of a file, any subset of it, in sectors, with any of the versions they had
  kNamesLost,     ///< the last creations, renames and removals since sync_names()
  kNamesMixed,    ///< any of them: both names of a renamed file, or none
  // ---- errors that the caller is told of
  kSyncFails,  ///< and what it should have written may be gone, though the next sync succeeds
  kReadFails,  ///< once
  kDiskFull,   ///< somebody else fills the disk, for a while
  kStall,      ///< an operation takes 10 ms to 40 s
  kRefused,    ///< no descriptors, no memory: a list, an open or a read, and the disk is as it was
  // ---- damage, which nobody tells of
  kLostWrite,    ///< a sync that succeeds leaves out some sectors
  kMisdirected,  ///< a sync puts a sector somewhere else, in this file or another
  kStaleSector,  ///< at a crash: what was not synced shows what a removed file held
  kRotAtRest,    ///< a bit of some file
  kRotAtRead,    ///< a bit of what is read, this once
  kBadSector,    ///< cannot be read until it is written again
  kOldCopy,      ///< at a crash: the disk comes back as it was earlier
  kFilesLost,    ///< at a crash: some files are gone, or all
  kCount,
};

const char* name_of(DiskFault fault);

/// What the promise of whoever uses a disk covers.
enum class DiskScope : uint8_t {
  kSound,     ///< nothing goes wrong but that a crash stops everything
  kContract,  ///< crashes, and errors that are told: nothing synced is lost
  kDamage,    ///< all of it: what is wrong must be noticed, and what is lost comes from peers
};

DiskScope scope_of(DiskFault fault);

struct DiskPlan {
  static constexpr size_t kFaults = static_cast<size_t>(DiskFault::kCount);

  /// Chances each time that a fault could happen: at a crash, for each file with something unsynced
  /// (the first two); at each sync; at each read; or at each operation.
  std::array<uint32_t, kFaults> per_million{};
  uint64_t capacity_bytes = 64u << 20;
  /// A full disk is full for at most so many operations.
  uint32_t full_operations = 200;
  /// What a sync takes; other operations less, in proportion to their bytes.
  TimeUs sync_us = 150;

  uint32_t& operator[](DiskFault fault) { return per_million[static_cast<size_t>(fault)]; }
  uint32_t operator[](DiskFault fault) const { return per_million[static_cast<size_t>(fault)]; }

  /// Each fault in `scope` is on in half of the plans, one plan in six has none at all.
  static DiskPlan draw(Random& random, DiskScope scope);
};

/// "kind=per million ..." of those that are on.
std::string to_string(const DiskPlan& plan);

}  // namespace eve::sim
