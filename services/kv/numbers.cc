#include "services/kv/numbers.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace eve::kv {

namespace {

/// Longer texts cannot be numbers; Redis has the same bound.
constexpr size_t kMaxFloatChars = 5 * 1024;

}  // namespace

std::optional<int64_t> parse_integer(ByteView text) {
  const ByteView digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<long double> parse_float(ByteView text) {
  if (text.empty() || text.size() >= kMaxFloatChars) return std::nullopt;
  if (std::strchr(" \t\n\v\f\r", text[0]) != nullptr) return std::nullopt;  // also refuses NUL
  const Bytes terminated(text);
  char* stop = nullptr;
  errno = 0;
  const long double value = std::strtold(terminated.c_str(), &stop);
  if (stop != terminated.c_str() + terminated.size() || errno == EINVAL) return std::nullopt;
  const bool out_of_range = std::isinf(value) || std::fpclassify(value) == FP_ZERO;
  if ((errno == ERANGE && out_of_range) || std::isnan(value)) return std::nullopt;
  return value;
}

Bytes format_float(long double value) {
  std::array<char, kMaxFloatChars> buffer;
  const int printed = std::snprintf(buffer.data(), buffer.size(), "%.17Lf", value);
  Bytes text(buffer.data(), static_cast<size_t>(printed));
  if (text.find('.') != Bytes::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equal_ignoring_case(ByteView left, ByteView right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (lower_case(left[i]) != lower_case(right[i])) return false;
  }
  return true;
}

}  // namespace eve::kv
