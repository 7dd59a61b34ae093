// What went wrong with a disk, for whoever has to mend it.
#pragma once

#include <filesystem>
#include <string>

#include "eve/result.h"

namespace eve::runtime {

/// "FILE: cannot WHAT: what the system says: what to do", and the kind that journal/disk.h asks
/// for. `error` is an errno.
Error disk_error(const std::filesystem::path& file, const std::string& what, int error);

}  // namespace eve::runtime
