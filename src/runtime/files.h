// Files that a node keeps: read whole, written so that a crash leaves the old or the new one.
#pragma once

#include <filesystem>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::runtime {

/// Who may read a file.
enum class Access { kOwner = 0600, kEveryone = 0644 };

/// The whole file; at most host_limits::kMaxFileBytes. Errors name the file.
Result<Bytes> read_file(const std::filesystem::path& file);

/// As read_file, and refuses a file that anyone but its owner may read.
Result<Bytes> read_secret_file(const std::filesystem::path& file);

/// Makes a file; refuses to overwrite one. Synced before it returns.
Status create_file(const std::filesystem::path& file, ByteView bytes, Access access);

/// Replaces a file, or makes it: written beside it, synced, renamed, and the folder synced, so that
/// after a crash the old or the new content is there, and after success the new one.
Status replace_file(const std::filesystem::path& file, ByteView bytes,
                    Access access = Access::kOwner);

}  // namespace eve::runtime
