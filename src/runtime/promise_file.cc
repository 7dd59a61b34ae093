#include "runtime/promise_file.h"

#include <algorithm>
#include <array>
#include <charconv>
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

/// The last epoch E for which the folder holds a file PREFIX + E + ".ran".
Result<Epoch> last_marked(const std::filesystem::path& folder, const std::string& prefix) {
  constexpr std::string_view kSuffix = ".ran";
  Epoch last;
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
    if (name.size() <= prefix.size() + kSuffix.size()) continue;
    const char* const end = name.data() + name.size() - kSuffix.size();
    uint32_t epoch = 0;
    const auto read = std::from_chars(name.data() + prefix.size(), end, epoch);
    if (read.ec == std::errc() && read.ptr == end) last = std::max(last, Epoch(epoch));
  }
  if (failed) return Error{folder.string() + ": cannot list it: " + failed.message()};
  return last;
}

}  // namespace

std::string name_in(Address node, Epoch epoch) {
  const std::string role = to_string(node);
  return epoch == Epoch() ? role : role + ".e" + std::to_string(epoch.value());
}

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

Result<Epoch> last_started(const std::filesystem::path& directory, Address node) {
  if (auto status = make_directory(directory); !status) return Error{status.message()};
  const std::string prefix = to_string(node) + ".e";
  const auto own = last_marked(directory, prefix);
  if (!own) return own;
  const auto beside_key =
      last_marked(directory.parent_path(), directory.filename().string() + "." + prefix);
  if (!beside_key) return beside_key;
  return std::max(*own, *beside_key);
}

}  // namespace eve::runtime
