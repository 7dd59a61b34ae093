// GET and SET in all their forms.
#include <limits>
#include <optional>

#include "base/limits.h"
#include "services/kv/command_table.h"
#include "services/kv/numbers.h"
#include "services/kv/replicated_commands.h"

namespace eve::kv {

void invalid_expiry(Call& call) {
  call.reply.error("ERR invalid expire time in '" + Bytes(call.command.name) + "' command");
}

namespace {

/// How a number next to EX, PX, EXAT or PXAT is meant.
struct ExpiryUnit {
  bool seconds = false;
  bool absolute = false;
  bool operator==(const ExpiryUnit&) const = default;
};

constexpr ExpiryUnit kSeconds{.seconds = true, .absolute = false};
constexpr ExpiryUnit kMilliseconds{.seconds = false, .absolute = false};

/// What follows the fixed arguments of SET or GETEX.
struct Options {
  bool only_new = false;
  bool only_existing = false;
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  std::optional<ExpiryUnit> unit;
  ByteView expiry;
};

std::optional<ExpiryUnit> parse_unit(ByteView word) {
  if (equal_ignoring_case(word, "EX")) return kSeconds;
  if (equal_ignoring_case(word, "PX")) return kMilliseconds;
  if (equal_ignoring_case(word, "EXAT")) return ExpiryUnit{.seconds = true, .absolute = true};
  if (equal_ignoring_case(word, "PXAT")) return ExpiryUnit{.seconds = false, .absolute = true};
  return std::nullopt;
}

/// An option of SET without an argument; false where it cannot stand.
bool parse_set_word(ByteView word, Options& options) {
  if (equal_ignoring_case(word, "NX") && !options.only_existing) return options.only_new = true;
  if (equal_ignoring_case(word, "XX") && !options.only_new) return options.only_existing = true;
  if (equal_ignoring_case(word, "GET")) return options.get = true;
  if (equal_ignoring_case(word, "KEEPTTL") && !options.unit) return options.keep_ttl = true;
  return false;
}

/// An option of GETEX without an argument; false where it cannot stand.
bool parse_getex_word(ByteView word, Options& options) {
  return equal_ignoring_case(word, "PERSIST") && !options.unit && (options.persist = true);
}

std::optional<Options> parse_options(Args words, bool (*parse_word)(ByteView, Options&)) {
  Options options;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto unit = parse_unit(words[i]);
    const bool fits = unit && i + 1 < words.size() && !options.keep_ttl && !options.persist &&
                      (!options.unit || options.unit == unit);
    if (fits) {
      options.unit = unit;
      options.expiry = words[++i];
    } else if (!parse_word(words[i], options)) {
      return std::nullopt;
    }
  }
  return options;
}

/// The moment that `text` names, in milliseconds since 1970; replies with the error if it is none.
std::optional<int64_t> parse_expiry(Call& call, ByteView text, ExpiryUnit unit) {
  const auto number = parse_integer(text);
  if (!number) {
    call.reply.error(kNotAnInteger);
    return std::nullopt;
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const int64_t scale = unit.seconds ? 1000 : 1;
  const int64_t base = unit.absolute ? 0 : call.store.now_ms();
  if (*number <= 0 || *number > kMax / scale || *number * scale >= kMax - base) {
    invalid_expiry(call);
    return std::nullopt;
  }
  return *number * scale + base;
}

void reply_value(Call& call, const std::optional<Store::Entry>& entry) {
  entry ? call.reply.bulk(entry->value) : call.reply.null();
}

void set_with_expiry(Call& call, ExpiryUnit unit) {
  const auto expires_ms = parse_expiry(call, call.args[2], unit);
  if (!expires_ms) return;
  call.store.put(call.args[1], call.args[3], *expires_ms);
  call.reply.ok();
}

void put_pairs(Call& call) {
  for (size_t i = 1; i < call.args.size(); i += 2) call.store.put(call.args[i], call.args[i + 1]);
}

/// MSET and MSETNX take pairs; replies with the error if there is a key without a value.
bool check_pairs(Call& call) {
  if (call.args.size() % 2 == 1) return true;
  call.reply.error(wrong_arity(call.command));
  return false;
}

}  // namespace

namespace replicated {

void get(Call& call) {
  reply_value(call, call.store.find(call.args[1]));
}

void set(Call& call) {
  const auto options = parse_options(call.args.subspan(3), parse_set_word);
  if (!options) return call.reply.error(kSyntaxError);
  int64_t expires_ms = kNever;
  if (options->unit) {
    const auto parsed = parse_expiry(call, options->expiry, *options->unit);
    if (!parsed) return;
    expires_ms = *parsed;
  }
  const bool reads =
      options->get || options->keep_ttl || options->only_new || options->only_existing;
  const auto old = reads ? call.store.find(call.args[1]) : std::nullopt;
  if (options->get) reply_value(call, old);
  if ((options->only_new && old) || (options->only_existing && !old)) {
    if (!options->get) call.reply.null();
    return;
  }
  if (options->keep_ttl && old) expires_ms = old->expires_ms;
  call.store.put(call.args[1], call.args[2], expires_ms);
  if (!options->get) call.reply.ok();
}

void setnx(Call& call) {
  if (call.store.find(call.args[1])) return call.reply.integer(0);
  call.store.put(call.args[1], call.args[2]);
  call.reply.integer(1);
}

void setex(Call& call) {
  set_with_expiry(call, kSeconds);
}
void psetex(Call& call) {
  set_with_expiry(call, kMilliseconds);
}

void getset(Call& call) {
  reply_value(call, call.store.find(call.args[1]));
  call.store.put(call.args[1], call.args[2]);
}

void getdel(Call& call) {
  reply_value(call, call.store.find(call.args[1]));
  call.store.erase(call.args[1]);
}

void getex(Call& call) {
  const auto options = parse_options(call.args.subspan(2), parse_getex_word);
  if (!options) return call.reply.error(kSyntaxError);
  const auto entry = call.store.find(call.args[1]);
  if (!entry) return call.reply.null();
  int64_t expires_ms = options->persist ? kNever : entry->expires_ms;
  if (options->unit) {
    const auto parsed = parse_expiry(call, options->expiry, *options->unit);
    if (!parsed) return;
    expires_ms = *parsed;
  }
  call.reply.bulk(entry->value);
  // As in Redis, a watched key counts as changed only where the expiry was set or removed.
  if (options->unit || expires_ms != entry->expires_ms) {
    call.store.put(call.args[1], entry->value, expires_ms);
  }
}

void mget(Call& call) {
  size_t total = 0;
  std::vector<std::optional<Store::Entry>> entries;
  for (const ByteView key : call.args.subspan(1)) {
    entries.push_back(call.store.find(key));
    total += 32 + (entries.back() ? entries.back()->value.size() : 0);
    if (total > limits::kMaxReplyBytes) return call.reply.error(kReplyTooLarge);
  }
  call.reply.array(entries.size());
  for (const auto& entry : entries) reply_value(call, entry);
}

void mset(Call& call) {
  if (!check_pairs(call)) return;
  put_pairs(call);
  call.reply.ok();
}

void msetnx(Call& call) {
  if (!check_pairs(call)) return;
  for (size_t i = 1; i < call.args.size(); i += 2) {
    if (call.store.find(call.args[i])) return call.reply.integer(0);
  }
  put_pairs(call);
  call.reply.integer(1);
}

}  // namespace replicated
}  // namespace eve::kv
