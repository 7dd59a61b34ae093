// Commands that compute a new value from the old one, or look at a part of it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "services/kv/limits.h"
#include "services/kv/numbers.h"
#include "services/kv/replicated_commands.h"

namespace eve::kv {

namespace {

constexpr int64_t kMinInteger = std::numeric_limits<int64_t>::min();

/// Adds `delta` to the integer at the key; its expiry stays.
void add_integer(Call& call, int64_t delta) {
  const auto old = call.store.find(call.args[1]);
  const auto value = old ? parse_integer(old->value) : 0;
  if (!value) return call.reply.error(kNotAnInteger);
  int64_t sum = 0;
  if (__builtin_add_overflow(*value, delta, &sum)) {
    return call.reply.error("ERR increment or decrement would overflow");
  }
  std::array<char, 24> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), sum).ptr;
  const ByteView digits(text.data(), static_cast<size_t>(end - text.data()));
  call.store.put(call.args[1], digits, old ? old->expires_ms : kNever);
  call.reply.integer(sum);
}

}  // namespace

namespace replicated {

void append(Call& call) {
  const auto old = call.store.find(call.args[1]);
  Bytes value(old ? old->value : ByteView());
  if (value.size() + call.args[2].size() > kMaxBulkBytes) return call.reply.error(kValueTooLong);
  value.append(call.args[2]);
  call.store.put(call.args[1], value, old ? old->expires_ms : kNever);
  call.reply.integer(static_cast<int64_t>(value.size()));
}

void strlen(Call& call) {
  const auto entry = call.store.find(call.args[1]);
  call.reply.integer(entry ? static_cast<int64_t>(entry->value.size()) : 0);
}

void getrange(Call& call) {
  const auto first = parse_integer(call.args[2]);
  const auto last = parse_integer(call.args[3]);
  if (!first || !last) return call.reply.error(kNotAnInteger);
  const auto entry = call.store.find(call.args[1]);
  const auto size = static_cast<int64_t>(entry ? entry->value.size() : 0);
  const bool reversed = *first < 0 && *last < 0 && *first > *last;
  const int64_t from = std::max<int64_t>(*first < 0 ? size + *first : *first, 0);
  const int64_t wanted = std::max<int64_t>(*last < 0 ? size + *last : *last, 0);
  const int64_t to = std::min(wanted, size - 1);
  if (reversed || from > to) return call.reply.bulk("");
  call.reply.bulk(
      entry->value.substr(static_cast<size_t>(from), static_cast<size_t>(to - from + 1)));
}

void setrange(Call& call) {
  const auto offset = parse_integer(call.args[2]);
  if (!offset) return call.reply.error(kNotAnInteger);
  if (*offset < 0) return call.reply.error("ERR offset is out of range");
  const ByteView patch = call.args[3];
  const auto old = call.store.find(call.args[1]);
  const size_t old_size = old ? old->value.size() : 0;
  if (patch.empty()) return call.reply.integer(static_cast<int64_t>(old_size));
  const auto start = static_cast<uint64_t>(*offset);
  if (start + patch.size() > kMaxBulkBytes) return call.reply.error(kValueTooLong);
  Bytes value(old ? old->value : ByteView());
  value.resize(std::max(old_size, start + patch.size()));
  std::copy(patch.begin(), patch.end(), value.begin() + static_cast<ptrdiff_t>(start));
  call.store.put(call.args[1], value, old ? old->expires_ms : kNever);
  call.reply.integer(static_cast<int64_t>(value.size()));
}

void incr(Call& call) {
  add_integer(call, 1);
}
void decr(Call& call) {
  add_integer(call, -1);
}

void incrby(Call& call) {
  const auto delta = parse_integer(call.args[2]);
  delta ? add_integer(call, *delta) : call.reply.error(kNotAnInteger);
}

void decrby(Call& call) {
  const auto delta = parse_integer(call.args[2]);
  if (!delta) return call.reply.error(kNotAnInteger);
  if (*delta == kMinInteger) return call.reply.error("ERR decrement would overflow");
  add_integer(call, -*delta);
}

void incrbyfloat(Call& call) {
  const auto old = call.store.find(call.args[1]);
  const auto value = old ? parse_float(old->value) : 0;
  const auto delta = parse_float(call.args[2]);
  if (!value || !delta) return call.reply.error("ERR value is not a valid float");
  const long double sum = *value + *delta;
  if (!std::isfinite(sum)) {
    return call.reply.error("ERR increment would produce NaN or Infinity");
  }
  const Bytes text = format_float(sum);
  call.store.put(call.args[1], text, old ? old->expires_ms : kNever);
  call.reply.bulk(text);
}

}  // namespace replicated
}  // namespace eve::kv
