// What a backup begins with: a manifest, which says what it is of and what is needed to read it.
// Pure: bytes in, values out.
//
//   backup   := magic:8 sum:16 length:4 manifest checkpoint
//   manifest := version:4 algorithm:1 secret:32 taken:8 service name bytes:8 count:4 table*
//
// Little-endian; texts have their length before them, of 4 bytes. `sum` is of all from `length` to
// the end of the manifest: against accidents, as all sums of a checkpoint (docs/backup.md).
//
// Bytes from the disk are untrusted: nothing here throws, aborts or reads outside of what it is
// given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "journal/format.h"

namespace eve::durability {

inline constexpr uint32_t kBackupVersion = 1;
inline constexpr size_t kBackupHeadBytes = 28;
inline constexpr size_t kMaxManifestBytes = size_t{1} << 20;

struct BackupManifest {
  crypto::DigestAlgorithm algorithm = crypto::DigestAlgorithm::kXxh3;
  /// The cluster's, where its digests need it (XXH3); else zeroes.
  crypto::Secret secret{};
  TimeUs taken_us = 0;  ///< microseconds since 1970
  std::string service;
  std::string checkpoint;           ///< what the file was called
  uint64_t checkpoint_bytes = 0;    ///< which follow the manifest, and end the file
  std::vector<std::string> tables;  ///< of the state, by number: Eve's and the service's
};

/// Magic, sum, length and manifest. Precondition: together at most kMaxManifestBytes.
Bytes encode(const BackupManifest& manifest);
/// How many bytes the manifest has after the first kBackupHeadBytes; nullopt: it is no backup.
std::optional<size_t> manifest_bytes(ByteView head);
/// `bytes` begins with head and manifest. Nullopt if they are damaged, or (`why`) of a later
/// release.
std::optional<BackupManifest> decode_manifest(ByteView bytes, journal::BadHeader* why = nullptr);

}  // namespace eve::durability
