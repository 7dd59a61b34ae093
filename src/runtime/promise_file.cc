#include "runtime/promise_file.h"

#include "runtime/files.h"

namespace eve::runtime {
namespace {

Status make_directory(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{directory.string() + ": cannot make it: " + failed.message()};
  return {};
}

Result<bool> is_there(const std::filesystem::path& file) {
  std::error_code failed;
  const bool there = std::filesystem::exists(file, failed);
  if (failed) return Error{file.string() + ": cannot examine it: " + failed.message()};
  return there;
}

std::filesystem::path mark_of(const std::filesystem::path& directory, Address address) {
  return directory / (to_string(address) + ".ran");
}

}  // namespace

Result<bool> has_started(const std::filesystem::path& directory, Address address) {
  if (auto status = make_directory(directory); !status) return Error{status.message()};
  // Earlier builds kept a verifier's view in such a file, and nothing else.
  auto old = is_there(directory / (to_string(address) + ".view"));
  if (!old || *old) return old;
  return is_there(mark_of(directory, address));
}

Result<bool> mark_started(const std::filesystem::path& directory, Address address) {
  auto there = has_started(directory, address);
  if (!there || *there) return there;
  const ByteView text = "This role has run; without this file it would lie about that.\n";
  if (auto status = replace_file(mark_of(directory, address), text); !status) {
    return Error{status.message()};
  }
  return false;
}

}  // namespace eve::runtime
