// When keys end.
#include <limits>
#include <optional>

#include "services/kv/numbers.h"
#include "services/kv/replicated_commands.h"

namespace eve::kv {

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

/// Under which conditions EXPIRE and its kin act.
struct Conditions {
  bool none_yet = false;
  bool some_yet = false;
  bool later = false;
  bool sooner = false;
};

/// Replies with the error if the words do not go together.
std::optional<Conditions> parse_conditions(Call& call) {
  Conditions given;
  for (const ByteView word : call.args.subspan(3)) {
    if (equal_ignoring_case(word, "NX")) {
      given.none_yet = true;
    } else if (equal_ignoring_case(word, "XX")) {
      given.some_yet = true;
    } else if (equal_ignoring_case(word, "GT")) {
      given.later = true;
    } else if (equal_ignoring_case(word, "LT")) {
      given.sooner = true;
    } else {
      // Redis prints a C string: up to the first zero.
      call.reply.error("ERR Unsupported option " + Bytes(word.substr(0, word.find('\0'))));
      return std::nullopt;
    }
  }
  if (given.none_yet && (given.some_yet || given.later || given.sooner)) {
    call.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (given.later && given.sooner) {
    call.reply.error("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return given;
}

bool allowed(const Conditions& given, int64_t old_ms, int64_t new_ms) {
  const bool has = old_ms != kNever;
  if (given.none_yet && has) return false;
  if (given.some_yet && !has) return false;
  if (given.later && (!has || new_ms <= old_ms)) return false;
  return !given.sooner || !has || new_ms < old_ms;
}

void set_expiry(Call& call, int64_t scale, int64_t base_ms) {
  const auto given = parse_conditions(call);
  if (!given) return;
  const auto number = parse_integer(call.args[2]);
  if (!number) return call.reply.error(kNotAnInteger);
  // The largest moment is kNever: Redis would take it, and no clock will tell the difference.
  if (*number > kMax / scale || *number < kMin / scale || *number * scale > kMax - base_ms) {
    return invalid_expiry(call);
  }
  const int64_t expires_ms = *number * scale + base_ms;
  const auto entry = call.store.find(call.args[1]);
  if (!entry || !allowed(*given, entry->expires_ms, expires_ms)) return call.reply.integer(0);
  call.store.put(call.args[1], entry->value, expires_ms);
  call.reply.integer(1);
}

/// -2 for no key, -1 for no expiry, otherwise milliseconds divided by `scale`, rounded.
void reply_expiry(Call& call, int64_t scale, int64_t base_ms) {
  const auto entry = call.store.find(call.args[1]);
  if (!entry) return call.reply.integer(-2);
  if (entry->expires_ms == kNever) return call.reply.integer(-1);
  const int64_t left_ms = entry->expires_ms - base_ms;
  const bool up = scale > 1 && left_ms % scale >= scale / 2;
  call.reply.integer(left_ms / scale + (up ? 1 : 0));
}

}  // namespace

namespace replicated {

void expire(Call& call) {
  set_expiry(call, 1000, call.store.now_ms());
}
void pexpire(Call& call) {
  set_expiry(call, 1, call.store.now_ms());
}
void expireat(Call& call) {
  set_expiry(call, 1000, 0);
}
void pexpireat(Call& call) {
  set_expiry(call, 1, 0);
}

void ttl(Call& call) {
  reply_expiry(call, 1000, call.store.now_ms());
}
void pttl(Call& call) {
  reply_expiry(call, 1, call.store.now_ms());
}
void expiretime(Call& call) {
  reply_expiry(call, 1000, 0);
}
void pexpiretime(Call& call) {
  reply_expiry(call, 1, 0);
}

void persist(Call& call) {
  const auto entry = call.store.find(call.args[1]);
  if (!entry || entry->expires_ms == kNever) return call.reply.integer(0);
  call.store.put(call.args[1], entry->value);
  call.reply.integer(1);
}

}  // namespace replicated
}  // namespace eve::kv
