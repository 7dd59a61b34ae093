// Files of the source tree, for tests that read data which stands beside them.
#pragma once

#include <filesystem>

namespace eve {

/// `file` is __FILE__. A compiler's cache may have made it relative to the folder of the build,
/// where this program is; the current folder is anything.
inline std::filesystem::path source_file(const char* file) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / file;
}

}  // namespace eve
