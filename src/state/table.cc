#include "state/table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace eve::state {

Table::Table(uint16_t number, Bytes name, TableKind kind, const crypto::Digester& digester,
             UndoLog& undo)
    : number_(number), name_(std::move(name)), kind_(kind), digester_(digester), undo_(undo) {}

std::optional<ByteView> Table::get(ByteView key) const {
  const uint64_t hash = hash_of(key);
  const Object* object = shard(hash).find(hash, key);
  if (object == nullptr) return std::nullopt;
  const Word word = object->load();
  if (!word.present()) return std::nullopt;
  return word.version()->bytes();
}

bool Table::replace(size_t worker, Object& object, Version* version) {
  Word found = object.load();
  while (found.present()) {
    if (object.word.compare_exchange_weak(found, Word::of(version), std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      undo_.note(worker, {&object, found, false}, version->footprint());
      return true;
    }
  }
  return false;
}

void Table::put(size_t worker, ByteView key, ByteView value, ByteView references) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  const uint64_t hash = hash_of(key);
  Object* object = shard(hash).find(hash, key);
  Version* version = make_version(value, references);
  if (object != nullptr && replace(worker, *object, version)) return;
  undo_.note(worker, shard(hash).put(hash, number_, key, Word::of(version)), version->footprint());
}

bool Table::erase(size_t worker, ByteView key) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  const uint64_t hash = hash_of(key);
  Object* object = shard(hash).find(hash, key);
  if (object == nullptr) return false;
  const auto before = shard(hash).erase(*object, Word::absent(undo_.stamp()));
  if (before) undo_.note(worker, {object, *before, false}, 0);
  return before.has_value();
}

// The analysis does not follow locks through an array. All are held at once, so the sum is what it
// was at one instant; always in the same order, so two counters cannot wait for each other.
uint64_t Table::size() const EVE_NO_LOCK_ANALYSIS {
  for (const Shard& shard : shards_) shard.lock().lock();
  uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.present();
  for (const Shard& shard : shards_) shard.lock().unlock();
  return sum;
}

std::optional<uint64_t> Table::scan(Context& context, uint64_t from,
                                    const std::function<bool(const ByteMap::Entry&)>& visit) const {
  std::optional<uint64_t> stopped_at;
  std::optional<uint64_t> next;
  const auto step = [&](const Object& object) {
    context.on_access();
    const Word word = object.load();
    if (!word.present()) return true;
    if (stopped_at && object.hash != *stopped_at) {
      next = object.hash;
      return false;
    }
    // Once stopped, entries of the same hash are still visited: no position lies between them.
    const bool more = visit({object.key(), word.version()->bytes()});
    if (!more) stopped_at = object.hash;
    return true;
  };
  for (size_t i = shard_index(from); i < kShards; ++i) {
    const uint64_t first = uint64_t{i} << (64 - Shard::kBits);
    if (!shards_[i].each(std::max(from, first), step)) return next;
  }
  return std::nullopt;
}

Written Table::object(ByteView key) {
  const uint64_t hash = hash_of(key);
  Object* found = shard(hash).find(hash, key);
  if (found != nullptr) return {found, found->load(), false};
  const Written made = shard(hash).put(hash, number_, key, Word::absent(0));
  settle(*made.object);
  return made;
}

void Table::remove(Object& object) {
  shard(object.hash).remove(object);
  Object::destroy(&object);
}

void Table::each(const std::function<void(Object&)>& visit) const {
  for (const Shard& shard : shards_) {
    shard.each(0, [&](Object& object) {
      visit(object);
      return true;
    });
  }
}

size_t Table::bytes() const {
  size_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.bytes();
  return sum;
}

}  // namespace eve::state
