#include "services/kv/glob.h"

#include <utility>

namespace eve::kv {

namespace {

struct Step {
  bool matched;
  size_t next;  ///< position in the pattern behind what was compared
};

/// Whether `c` is in the class whose first character after '[' is at `at`. As in Redis, a class
/// that is not closed ends with the pattern, and "a-]" is a range up to ']'.
Step match_class(ByteView pattern, size_t at, char c) {
  const auto code = static_cast<unsigned char>(c);
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool matched = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      matched |= pattern[at + 1] == c;
      at += 2;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      auto low = static_cast<unsigned char>(pattern[at]);
      auto high = static_cast<unsigned char>(pattern[at + 2]);
      if (low > high) std::swap(low, high);
      matched |= low <= code && code <= high;
      at += 3;
    } else {
      matched |= pattern[at] == c;
      ++at;
    }
  }
  const size_t next = at < pattern.size() ? at + 1 : at;
  return {matched != negated, next};
}

/// Compares one character with the pattern's element at `at`, which is not a star.
Step match_one(ByteView pattern, size_t at, char c) {
  switch (pattern[at]) {
    case '?':
      return {true, at + 1};
    case '[':
      return match_class(pattern, at + 1, c);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      return {pattern[at] == c, at + 1};
    default:
      return {pattern[at] == c, at + 1};
  }
}

}  // namespace

bool glob_match(ByteView pattern, ByteView text) {
  // Redis lets an empty text match one star, but not two.
  if (text.empty()) return pattern.empty() || pattern == "*";
  constexpr size_t kNone = ByteView::npos;
  size_t at = 0;
  size_t i = 0;
  size_t star = kNone;   // where the pattern goes on after the last star
  size_t star_from = 0;  // the text that this star has not swallowed
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_from = i;
      continue;
    }
    const Step step = at < pattern.size() ? match_one(pattern, at, text[i]) : Step{false, at};
    if (step.matched) {
      at = step.next;
      ++i;
    } else if (star != kNone) {
      at = star;
      i = ++star_from;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace eve::kv
