// What a role must remember of having run before, beside its log if it has one: the mark
// DIRECTORY/NODE/ROLE.ran.
#pragma once

#include <filesystem>

#include "base/ids.h"
#include "eve/result.h"

namespace eve::runtime {

/// True if `address` has run with this directory before.
Result<bool> has_started(const std::filesystem::path& directory, Address address);
/// Likewise; and leaves the mark that it has, durably.
Result<bool> mark_started(const std::filesystem::path& directory, Address address);

}  // namespace eve::runtime
