// Expected failures. A broken invariant stops the process (base/check.h); everything else that can
// go wrong is a `Status` or a `Result<T>` whose message tells the reader what to do.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace eve {

/// What a program may have to know of an error. Most have no kind.
enum class ErrorKind : uint8_t {
  kOther,
  kNoSpace,  ///< a file system or a quota is full: it works again when there is room
  kMedium,   ///< a device could not read or write, and what it should hold may be lost
};

/// What went wrong, for a person to read. Empty message never occurs in a failed Status.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::kOther;
};

/// Success, or an Error. Values; no thread affinity.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  /// Empty when ok().
  const std::string& message() const { return error_.message; }
  ErrorKind kind() const { return error_.kind; }
  /// Of a failed one.
  const Error& error() const { return error_; }

 private:
  Error error_;
  bool failed_ = false;
};

/// A value, or an Error. `value()` on a failed result is a programming error (undefined); test ok()
/// first.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : value_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return std::holds_alternative<T>(value_); }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<T>(value_); }
  const T& value() const& { return std::get<T>(value_); }
  T&& value() && { return std::get<T>(std::move(value_)); }
  T* operator->() { return &std::get<T>(value_); }
  const T* operator->() const { return &std::get<T>(value_); }
  T& operator*() & { return std::get<T>(value_); }
  const T& operator*() const& { return std::get<T>(value_); }

  const std::string& message() const { return std::get<Error>(value_).message; }
  /// kOther when ok().
  ErrorKind kind() const { return ok() ? ErrorKind::kOther : std::get<Error>(value_).kind; }
  Error error() const { return std::get<Error>(value_); }
  Status status() const { return ok() ? Status() : Status(error()); }

 private:
  std::variant<T, Error> value_;
};

}  // namespace eve
