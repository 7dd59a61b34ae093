// The keys and values of the KV server within one request, over the replicated map.
//
// A stored value is  flags (1 octet) version (12) [expiry (8)] bytes : the version names the
// request that wrote it (WATCH), the expiry is in milliseconds since 1970, little-endian, there if
// flags = 1.
//
// A key whose expiry is not after the batch's time is absent. Reading such a key leaves it where it
// is, so that reads never write; writers replace or erase it, and so do the commands that walk over
// the whole database and run alone.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "eve/context.h"
#include "eve/state.h"
#include "services/kv/request.h"

namespace eve::kv {

/// The expiry of a key that has none.
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

/// Made for each request; used by its thread.
class Store {
 public:
  Store(ByteMap& map, Context& context) : map_(map), context_(context) {}

  struct Entry {
    ByteView value;  ///< valid until the request ends
    int64_t expires_ms = kNever;
    Version version;
  };

  std::optional<Entry> find(ByteView key) const;
  /// Zero if absent.
  Version version_of(ByteView key) const;
  /// Writes, with a new version; erases instead if `expires_ms` has passed.
  void put(ByteView key, ByteView value, int64_t expires_ms = kNever);
  /// True if the key was there (and not expired).
  bool erase(ByteView key);

  /// Where a walk over all keys is, in the order of their hashes: the upper 53 bits of a hash, so
  /// that clients that keep SCAN's cursors in signed or floating numbers lose nothing. 0: the
  /// start.
  using Cursor = uint64_t;
  /// Visits live keys from `from` on until `visit` returns false or `limit` keys were met (and
  /// those that share the last one's cursor); erases the expired ones among them. Returns where to
  /// go on, 0 at the end.
  Cursor walk(Cursor from, uint64_t limit, const std::function<bool(ByteView key)>& visit);
  /// The cursor of a random place.
  Cursor random_cursor() { return context_.random() >> kCursorShift; }
  /// Removes everything.
  void clear();
  /// Expired keys that nobody has erased yet count, as they do in Redis.
  uint64_t size() const { return map_.size(context_); }

  int64_t now_ms() const { return context_.time_us() / 1000; }
  int64_t now_us() const { return context_.time_us(); }

 private:
  static constexpr unsigned kCursorShift = 11;

  std::optional<Entry> decode(ByteView stored) const;

  ByteMap& map_;
  Context& context_;
};

}  // namespace eve::kv
