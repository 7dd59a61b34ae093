#include "runtime/promise_file.h"

#include <charconv>

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

std::optional<View> parse_view(ByteView text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  text.remove_suffix(1);
  uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || text.empty()) return std::nullopt;
  return View(value);
}

}  // namespace

Result<bool> mark_started(const std::filesystem::path& directory, Address address) {
  if (auto status = make_directory(directory); !status) return Error{status.message()};
  const auto file = directory / (to_string(address) + ".ran");
  auto there = is_there(file);
  if (!there || *there) return there;
  const ByteView text = "This executor has run; without this file it would lie about that.\n";
  if (auto status = replace_file(file, text); !status) return Error{status.message()};
  return false;
}

Result<PromiseFile> PromiseFile::open(const std::filesystem::path& directory, Address address) {
  if (auto status = make_directory(directory); !status) return Error{status.message()};
  const auto file = directory / (to_string(address) + ".view");
  auto there = is_there(file);
  if (!there) return there.error();
  if (!*there) {
    PromiseFile fresh(file, std::nullopt);
    if (auto status = fresh.write(View(0)); !status) return Error{status.message()};
    return fresh;
  }
  auto text = read_file(file);
  if (!text) return text.error();
  const auto view = parse_view(*text);
  if (!view) {
    return Error{file.string() +
                 ": holds no view; restore it, or give this verifier a new identity"};
  }
  return PromiseFile(file, view);
}

Status PromiseFile::write(View view) {
  return replace_file(file_, std::to_string(view.value()) + "\n");
}

}  // namespace eve::runtime
