// Commands about the whole database. They run alone; those that walk over keys also erase the
// expired ones that they meet.
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "services/kv/glob.h"
#include "services/kv/numbers.h"
#include "services/kv/replicated_commands.h"

namespace eve::kv {

namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
constexpr int64_t kDefaultScanCount = 10;

struct ScanOptions {
  Store::Cursor cursor = 0;
  uint64_t count = kDefaultScanCount;
  std::optional<ByteView> pattern;
  bool strings = true;  ///< TYPE names the one type there is
};

/// What C's strtoul takes, without a space in front.
std::optional<uint64_t> parse_cursor(ByteView text) {
  if (!text.empty() && ByteView(" \t\n\v\f\r").find(text[0]) != ByteView::npos) {
    return std::nullopt;
  }
  const Bytes terminated(text);
  char* stop = nullptr;
  errno = 0;
  const uint64_t cursor = std::strtoull(terminated.c_str(), &stop, 10);
  if (*stop != '\0' || errno == ERANGE) return std::nullopt;
  return cursor;
}

/// Replies with the error if an option is wrong.
std::optional<ScanOptions> parse_scan(Call& call) {
  ScanOptions options;
  const auto cursor = parse_cursor(call.args[1]);
  if (!cursor) {
    call.reply.error("ERR invalid cursor");
    return std::nullopt;
  }
  options.cursor = *cursor;
  for (size_t i = 2; i < call.args.size(); i += 2) {
    const bool has_next = i + 1 < call.args.size();
    if (has_next && equal_ignoring_case(call.args[i], "COUNT")) {
      const auto count = parse_integer(call.args[i + 1]);
      if (!count || *count < 1) {
        call.reply.error(count ? kSyntaxError : kNotAnInteger);
        return std::nullopt;
      }
      options.count = static_cast<uint64_t>(*count);
    } else if (has_next && equal_ignoring_case(call.args[i], "MATCH")) {
      options.pattern = call.args[i + 1];
    } else if (has_next && equal_ignoring_case(call.args[i], "TYPE")) {
      options.strings = equal_ignoring_case(call.args[i + 1], "string");
    } else {
      call.reply.error(kSyntaxError);
      return std::nullopt;
    }
  }
  return options;
}

/// Keys on their way into one reply; knows when they no longer fit.
class KeyList {
 public:
  bool add(ByteView key) {
    bytes_ += key.size() + 32;
    if (fits()) keys_.emplace_back(key);
    return fits();
  }
  bool fits() const { return bytes_ <= limits::kMaxReplyBytes; }
  void write(Reply& reply) const {
    reply.array(keys_.size());
    for (const Bytes& key : keys_) reply.bulk(key);
  }

 private:
  std::vector<Bytes> keys_;
  size_t bytes_ = 64;
};

std::optional<Bytes> first_key_from(Store& store, Store::Cursor from) {
  std::optional<Bytes> found;
  store.walk(from, kNoLimit, [&](ByteView key) {
    found = key;
    return false;
  });
  return found;
}

}  // namespace

namespace replicated {

void dbsize(Call& call) {
  call.reply.integer(static_cast<int64_t>(call.store.size()));
}

void flush(Call& call) {
  const bool plain = call.args.size() == 1;
  if (!plain && (call.args.size() > 2 || (!equal_ignoring_case(call.args[1], "SYNC") &&
                                          !equal_ignoring_case(call.args[1], "ASYNC")))) {
    return call.reply.error(kSyntaxError);
  }
  call.store.clear();
  call.reply.ok();
}

void keys(Call& call) {
  KeyList found;
  call.store.walk(0, kNoLimit,
                  [&](ByteView key) { return !glob_match(call.args[1], key) || found.add(key); });
  if (!found.fits()) return call.reply.error(kReplyTooLarge);
  found.write(call.reply);
}

void scan(Call& call) {
  const auto options = parse_scan(call);
  if (!options) return;
  KeyList found;
  const Store::Cursor next = call.store.walk(options->cursor, options->count, [&](ByteView key) {
    const bool matches = !options->pattern || glob_match(*options->pattern, key);
    return !matches || !options->strings || found.add(key);
  });
  if (!found.fits()) return call.reply.error(kReplyTooLarge);
  call.reply.array(2);
  call.reply.bulk(std::to_string(next));
  found.write(call.reply);
}

void randomkey(Call& call) {
  // The first key from a random point of the hashes on, and around.
  auto key = first_key_from(call.store, call.store.random_cursor());
  if (!key) key = first_key_from(call.store, 0);
  key ? call.reply.bulk(*key) : call.reply.null();
}

void time(Call& call) {
  const int64_t now_us = call.store.now_us();
  call.reply.array(2);
  call.reply.bulk(std::to_string(now_us / 1'000'000));
  call.reply.bulk(std::to_string(now_us % 1'000'000));
}

}  // namespace replicated
}  // namespace eve::kv
