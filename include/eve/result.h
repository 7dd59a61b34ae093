// Expected failures. A broken invariant stops the process (base/check.h); everything else that can
// go wrong is a `Status` or a `Result<T>` whose message tells the reader what to do.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace eve {

/// What went wrong, for a person to read. Empty message never occurs in a failed Status.
struct Error {
  std::string message;
};

/// Success, or an Error. Values; no thread affinity.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error.message)), failed_(true) {}  // NOLINT: implicit

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  /// Empty when ok().
  const std::string& message() const { return error_; }

 private:
  std::string error_;
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
  Error error() const { return std::get<Error>(value_); }
  Status status() const { return ok() ? Status() : Status(error()); }

 private:
  std::variant<T, Error> value_;
};

}  // namespace eve
