// What a role must remember of having run before: the mark DIRECTORY/NODE/ROLE.ran beside its log,
// and DIRECTORY/NODE.ROLE.ran beside the node's key. A person who deletes the node's own folder
// takes its memory away and leaves its identity: then the role has to know.
#pragma once

#include <filesystem>
#include <string>

#include "eve/result.h"

namespace eve::runtime {

/// True if `role`, such as "verifier-1", has run with this directory (DIRECTORY/NODE) before.
Result<bool> has_started(const std::filesystem::path& directory, const std::string& role);
/// Likewise; and leaves the marks that it has, durably.
Result<bool> mark_started(const std::filesystem::path& directory, const std::string& role);

}  // namespace eve::runtime
