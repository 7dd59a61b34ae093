// Names that files of a data directory may have, on every host's disk.
#pragma once

#include <string>

#include "eve/result.h"

namespace eve {

/// What Linux takes as one name of a directory, and no way out of that directory.
inline Status check_file_name(const std::string& name) {
  constexpr size_t kMostBytes = 255;
  const bool whole = name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (whole && !name.empty() && name.size() <= kMostBytes && name != "." && name != "..") return {};
  return Error{"\"" + name + "\" is no name for a file: use 1 to 255 bytes without a slash"};
}

}  // namespace eve
