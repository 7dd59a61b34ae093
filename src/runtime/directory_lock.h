// A directory that one process has for itself.
#pragma once

#include <filesystem>
#include <string>

#include "eve/result.h"
#include "runtime/descriptor.h"

namespace eve::runtime {

/// Who has it with us: nobody, or others that only look too.
enum class LockKind { kAlone, kShared };

/// Opens `directory` and takes its lock; both end with the descriptor, and so with this process,
/// however it ends. Programs that this process starts do not inherit it. `owner` is who else may
/// have it: "another OWNER".
Result<Descriptor> lock_directory(const std::filesystem::path& directory, const std::string& owner,
                                  LockKind kind = LockKind::kAlone);

}  // namespace eve::runtime
