#include "state/table.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/check.h"

namespace eve::state {

Table::Table(uint16_t number, Bytes name, TableKind kind, const crypto::Digester& digester,
             UndoLog& undo)
    : number_(number),
      name_(std::move(name)),
      kind_(kind),
      digester_(digester),
      undo_(undo),
      index_(kind == TableKind::kOrdered ? std::make_unique<OrderedIndex>(undo.workers())
                                         : nullptr) {}

std::optional<ByteView> Table::get(ByteView key) const {
  const uint64_t hash = hash_of(key);
  const Object* object = shard(hash).find(hash, key);
  if (object == nullptr) return std::nullopt;
  const Word word = object->load();
  if (!word.present()) return std::nullopt;
  return word.version()->bytes();
}

void Table::check_sizes(ByteView key, size_t value_size) const {
  const auto refuse = [this](const char* what, size_t size, size_t most) {
    throw std::length_error("container \"" + name_ + "\": a " + what + " of " +
                            std::to_string(size) + " bytes; the most is " + std::to_string(most));
  };
  if (key.size() > kMaxKeyBytes) refuse("key", key.size(), kMaxKeyBytes);
  if (value_size > kMaxValueBytes) refuse("value", value_size, kMaxValueBytes);
}

Version* Table::make_version(ByteView bytes, Magazine* magazine, ByteView references) const {
  const Layout layout = kind_ == TableKind::kPages ? Layout::kAligned : Layout::kPacked;
  return Version::make(undo_.stamp(), bytes, layout, magazine, references);
}

bool Table::replace(size_t worker, const Written& found, Version* version) {
  Word before = found.object->load();
  while (before.present()) {
    if (found.object->word.compare_exchange_weak(
            before, Word::of(version), std::memory_order_acq_rel, std::memory_order_acquire)) {
      undo_.note(worker, {found.object, before, found.created}, version->footprint());
      return true;
    }
  }
  return false;
}

void Table::set(size_t worker, const Written& found, Version* version) {
  while (!replace(worker, found, version)) {
    const auto before = shard(found.object->hash).appear(*found.object, Word::of(version));
    if (!before) continue;
    undo_.note(worker, {found.object, *before, found.created}, version->footprint());
    return;
  }
}

void Table::put(size_t worker, ByteView key, ByteView value, ByteView references) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  check_sizes(key, value.size() + references.size());
  const uint64_t hash = hash_of(key);
  Object* object = shard(hash).find(hash, key);
  Magazine* magazine = &undo_.magazine(worker);
  Version* version = make_good_version(value, magazine, references);
  if (object != nullptr && replace(worker, {object, {}, false}, version)) return;
  if (index_ == nullptr) {
    undo_.note(worker, shard(hash).put(hash, number_, key, Word::of(version), magazine),
               version->footprint());
    return;
  }
  const Written found = shard(hash).make(hash, number_, key, magazine);
  const OrderedIndex::Appearing appearing(index_->insert(worker, *found.object));
  set(worker, found, version);
}

void Table::update(size_t worker, ByteView key,
                   const std::function<Bytes(std::optional<ByteView>)>& change) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  EVE_CHECK(index_ == nullptr, "an ordered table must hear of keys that appear");
  const uint64_t hash = hash_of(key);
  Magazine* magazine = &undo_.magazine(worker);
  const Written found = shard(hash).make(hash, number_, key, magazine);
  if (found.created) undo_.note_made(worker, *found.object);  // `change` may throw
  Object& object = *found.object;
  while (true) {
    Word before = object.load();
    Version* version = make_version(
        change(before.present() ? std::optional(before.version()->bytes()) : std::nullopt),
        magazine);
    const Word now = Word::of(version);
    // Versions that others may see are not freed within the batch, so the same word is the same
    // version.
    // An absent object may have come and gone since: what counts is the word that was replaced.
    std::optional<Word> replaced;
    if (!before.present()) {
      replaced = shard(hash).appear(object, now);
    } else if (object.word.compare_exchange_strong(before, now, std::memory_order_acq_rel)) {
      replaced = before;
    }
    if (replaced) {
      undo_.note(worker, {&object, *replaced, false}, version->footprint());
      return;
    }
    Version::destroy(version);
  }
}

bool Table::erase(size_t worker, ByteView key) {
  EVE_CHECK(undo_.is_open() && worker < undo_.workers(), "write outside a batch");
  const uint64_t hash = hash_of(key);
  Object* object = shard(hash).find(hash, key);
  if (object == nullptr) return false;
  const auto before = shard(hash).erase(*object, Word::absent(undo_.stamp()));
  if (!before) return false;
  undo_.note(worker, {object, *before, false}, 0);
  if (index_ != nullptr) index_->vanished(worker, *object);
  return true;
}

// The analysis does not follow locks through an array. All are held at once, so nothing appears or
// disappears; always in the same order, so two of those who do this cannot wait for each other.
void Table::lock_all() const EVE_NO_LOCK_ANALYSIS {
  for (const Shard& shard : shards_) shard.lock().lock();
}

void Table::unlock_all() const EVE_NO_LOCK_ANALYSIS {
  for (const Shard& shard : shards_) shard.lock().unlock();
}

uint64_t Table::size() const EVE_NO_LOCK_ANALYSIS {
  lock_all();
  uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.present();
  unlock_all();
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

const Object* Table::find(ByteView key) const {
  const uint64_t hash = hash_of(key);
  return shard(hash).find(hash, key);
}

Written Table::object(ByteView key) {
  const uint64_t hash = hash_of(key);
  Object* found = shard(hash).find(hash, key);
  if (found != nullptr) return {found, found->load(), false};
  const Written made = shard(hash).put(hash, number_, key, Word::absent(0));
  settle(*made.object);
  return made;
}

void Table::restore(Object& object, Word word) {
  const bool was_present = object.load().present();
  shard(object.hash).restore(object, word);
  if (index_ == nullptr || was_present == word.present()) return;
  if (word.present()) {
    index_->insert(0, object);
  } else {
    index_->vanished(0, object);
  }
}

void Table::end_batch() {
  if (index_ != nullptr) index_->sweep();
}

void Table::remove(Object& object) {
  if (index_ != nullptr) index_->sweep();
  shard(object.hash).remove(object);
  Object::destroy(&object, &undo_.recycler());
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
  size_t sum = index_ == nullptr ? 0 : index_->bytes();
  for (const Shard& shard : shards_) sum += shard.bytes();
  return sum;
}

}  // namespace eve::state
