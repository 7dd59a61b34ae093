#include "runtime/promise_file.h"

#include <array>
#include <string>

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

std::array<std::filesystem::path, 2> marks_of(const std::filesystem::path& directory,
                                              const std::string& role) {
  const std::string name = role + ".ran";
  const auto beside_key = directory.filename().string() + "." + name;
  return {directory / name, directory.parent_path() / beside_key};
}

}  // namespace

Result<bool> has_started(const std::filesystem::path& directory, const std::string& role) {
  if (auto status = make_directory(directory); !status) return Error{status.message()};
  // Earlier builds kept a verifier's view in such a file, and nothing else.
  auto old = is_there(directory / (role + ".view"));
  if (!old || *old) return old;
  for (const auto& mark : marks_of(directory, role)) {
    auto marked = is_there(mark);
    if (!marked || *marked) return marked;
  }
  return false;
}

Result<bool> mark_started(const std::filesystem::path& directory, const std::string& role) {
  auto there = has_started(directory, role);
  if (!there) return there;
  const ByteView text = "This role has run; without this file it would lie about that.\n";
  for (const auto& mark : marks_of(directory, role)) {
    auto marked = is_there(mark);
    if (!marked) return marked;
    if (*marked) continue;
    if (auto status = replace_file(mark, text); !status) return Error{status.message()};
  }
  return there;
}

}  // namespace eve::runtime
