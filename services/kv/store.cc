#include "services/kv/store.h"

#include <vector>

#include "base/check.h"
#include "eve/codec.h"

namespace eve::kv {

namespace {

constexpr size_t kFlagsBytes = 1;
constexpr size_t kExpiryBytes = 8;
/// Keys erased between two scans: the container is not changed while it is walked over.
constexpr size_t kClearStep = 4096;

}  // namespace

std::optional<Store::Entry> Store::decode(ByteView stored) const {
  EVE_CHECK(stored.size() >= kFlagsBytes + Version::kBytes, "a stored value has a header");
  const bool expires = stored[0] != 0;
  Entry entry;
  entry.version = Version::from(stored.substr(kFlagsBytes));
  stored.remove_prefix(kFlagsBytes + Version::kBytes);
  if (expires) {
    EVE_CHECK(stored.size() >= kExpiryBytes, "a stored expiry is complete");
    entry.expires_ms = Codec<int64_t>::decode(stored.substr(0, kExpiryBytes)).value_or(kNever);
    stored.remove_prefix(kExpiryBytes);
    if (entry.expires_ms <= now_ms()) return std::nullopt;
  }
  entry.value = stored;
  return entry;
}

std::optional<Store::Entry> Store::find(ByteView key) const {
  const auto stored = map_.get(context_, key);
  return stored ? decode(*stored) : std::nullopt;
}

Version Store::version_of(ByteView key) const {
  const auto entry = find(key);
  return entry ? entry->version : Version();
}

void Store::put(ByteView key, ByteView value, int64_t expires_ms) {
  if (expires_ms <= now_ms()) {
    map_.erase(context_, key);
    return;
  }
  const bool expires = expires_ms != kNever;
  Bytes stored;
  stored.reserve(kFlagsBytes + Version::kBytes + kExpiryBytes + value.size());
  stored.push_back(expires ? 1 : 0);
  Version{context_.batch(), context_.index()}.append_to(stored);
  if (expires) Codec<int64_t>::encode(expires_ms, stored);
  stored.append(value);
  map_.put(context_, key, stored);
}

bool Store::erase(ByteView key) {
  const bool live = find(key).has_value();
  map_.erase(context_, key);
  return live;
}

Store::Cursor Store::walk(Cursor from, uint64_t limit,
                          const std::function<bool(ByteView key)>& visit) {
  if (from > std::numeric_limits<uint64_t>::max() >> kCursorShift) return 0;
  std::vector<Bytes> expired;
  uint64_t met = 0;
  Cursor last = from;
  Cursor next = 0;
  map_.scan(context_, from << kCursorShift, [&](const ByteMap::Entry& entry) {
    const Cursor here = map_.hash_of(entry.key) >> kCursorShift;
    if (met >= limit && here != last) {
      next = here;
      return false;
    }
    ++met;
    last = here;
    if (decode(entry.value)) return visit(entry.key);
    expired.emplace_back(entry.key);
    return true;
  });
  for (const Bytes& key : expired) map_.erase(context_, key);
  return next;
}

void Store::clear() {
  std::vector<Bytes> keys;
  std::optional<uint64_t> next = 0;
  while (next) {
    keys.clear();
    next = map_.scan(context_, *next, [&](const ByteMap::Entry& entry) {
      keys.emplace_back(entry.key);
      return keys.size() < kClearStep;
    });
    for (const Bytes& key : keys) map_.erase(context_, key);
  }
}

}  // namespace eve::kv
