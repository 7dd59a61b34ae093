// What a role must remember of having run before, in DIRECTORY/NODE/: that an executor has
// (executor-I.ran), and the highest view that a verifier asked for or joined (verifier-I.view).
// Both files are there before the role sends anything.
#pragma once

#include <filesystem>
#include <optional>

#include "base/ids.h"
#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::runtime {

/// promise = view:decimal without leading zeros, newline. Views beyond kMaxPromise are damage: at a
/// view every millisecond they are 8,900 years away, and no view could come after the last number.
inline constexpr uint64_t kMaxPromise = uint64_t{1} << 48;
/// The other way round from format_promise; what it does not write is an error that says what to
/// do.
Result<View> parse_promise(ByteView text);
Bytes format_promise(View view);

/// True if executor `address` has run with this directory before. Leaves the mark that it has.
Result<bool> mark_started(const std::filesystem::path& directory, Address address);

/// A verifier's promised view on disk.
class PromiseFile {
 public:
  /// Opens the file, or makes it with view 0. Errors when it cannot be read or written, or holds no
  /// view: a verifier whose promise is lost must not run under its old identity.
  static Result<PromiseFile> open(const std::filesystem::path& directory, Address address);

  /// What an earlier process promised; nullopt when there was none.
  std::optional<View> found() const { return found_; }
  /// Durable when it returns success.
  Status write(View view);

 private:
  PromiseFile(std::filesystem::path file, std::optional<View> found)
      : file_(std::move(file)), found_(found) {}

  std::filesystem::path file_;
  std::optional<View> found_;
};

}  // namespace eve::runtime
