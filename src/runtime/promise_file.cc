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

}  // namespace

Result<View> parse_promise(ByteView text) {
  const Error none{"holds no view; restore it, or give this verifier a new identity"};
  uint64_t value = 0;
  // Stops at the newline, or where something else stands; what it read must be all there is.
  const auto error = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  if (error != std::errc() || format_promise(View(value)) != text) return none;
  if (value > kMaxPromise) return none;
  return View(value);
}

Bytes format_promise(View view) {
  return std::to_string(view.value()) + "\n";
}

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
  const auto view = parse_promise(*text);
  if (!view) return Error{file.string() + ": " + view.message()};
  return PromiseFile(file, *view);
}

Status PromiseFile::write(View view) {
  return replace_file(file_, format_promise(view));
}

}  // namespace eve::runtime
