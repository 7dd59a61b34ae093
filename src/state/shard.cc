#include "state/shard.h"

#include "base/check.h"

namespace eve::state {

namespace {

constexpr unsigned kFirstBits = 2;

/// Objects a bucket before the shard grows. A longer chain costs a cache miss a step, a shorter one
/// eight bytes a bucket.
constexpr size_t too_many(size_t buckets) {
  return buckets + buckets / 2;
}

bool before(const Object& object, uint64_t hash, ByteView key) {
  if (object.hash != hash) return object.hash < hash;
  return object.key() < key;
}

bool is(const Object& object, uint64_t hash, ByteView key) {
  return object.hash == hash && object.key() == key;
}

}  // namespace

Shard::Buckets::Buckets(unsigned bucket_bits)
    : bits(bucket_bits), heads(new std::atomic<Object*>[size_t{1} << bucket_bits]()) {}

Shard::Shard() : buckets_(new Buckets(kFirstBits)) {}

Shard::~Shard() {
  settle();
  const std::unique_ptr<Buckets> buckets(buckets_.load(std::memory_order_relaxed));
  for (size_t i = 0; i < buckets->count(); ++i) {
    Object* object = buckets->heads[i].load(std::memory_order_relaxed);
    while (object != nullptr) {
      Object* next = object->next.load(std::memory_order_relaxed);
      if (object->load().present()) Version::destroy(object->load().version());
      Object::destroy(object);
      object = next;
    }
  }
}

Object* Shard::find(uint64_t hash, ByteView key) const {
  const Buckets& buckets = *buckets_.load(std::memory_order_acquire);
  Object* object = buckets.head(hash).load(std::memory_order_acquire);
  while (object != nullptr && object->hash <= hash) {
    if (is(*object, hash, key)) return object;
    object = object->next.load(std::memory_order_acquire);
  }
  return nullptr;
}

std::atomic<Object*>& Shard::link(uint64_t hash, ByteView key) const {
  const Buckets& buckets = *buckets_.load(std::memory_order_acquire);
  std::atomic<Object*>* place = &buckets.head(hash);
  for (Object* object = place->load(std::memory_order_acquire);
       object != nullptr && before(*object, hash, key);
       object = place->load(std::memory_order_acquire)) {
    place = &object->next;
  }
  return *place;
}

Object& Shard::add(std::atomic<Object*>& place, uint64_t hash, uint16_t table, ByteView key,
                   Word word, Magazine* magazine) {
  Object* fresh = Object::make(hash, table, key, magazine);
  fresh->next.store(place.load(std::memory_order_relaxed), std::memory_order_relaxed);
  fresh->word.store(word, std::memory_order_relaxed);
  place.store(fresh, std::memory_order_release);
  if (++objects_ > too_many(buckets_.load(std::memory_order_relaxed)->count())) grow();
  return *fresh;
}

Written Shard::put(uint64_t hash, uint16_t table, ByteView key, Word now, Magazine* magazine) {
  Locked locked(lock_);
  std::atomic<Object*>& place = link(hash, key);
  Object* object = place.load(std::memory_order_relaxed);
  Written written;
  if (object == nullptr || !is(*object, hash, key)) {
    written = {&add(place, hash, table, key, now, magazine), Word::absent(0), true};
  } else {
    // Writers of a present object take no lock, so even here the word may have just changed.
    written = {object, object->word.exchange(now, std::memory_order_acq_rel), false};
  }
  present_ += now.present() ? 1 : 0;
  present_ -= written.before.present() ? 1 : 0;
  return written;
}

Written Shard::make(uint64_t hash, uint16_t table, ByteView key, Magazine* magazine) {
  Locked locked(lock_);
  std::atomic<Object*>& place = link(hash, key);
  Object* object = place.load(std::memory_order_relaxed);
  if (object != nullptr && is(*object, hash, key)) return {object, object->load(), false};
  return {&add(place, hash, table, key, Word::absent(0), magazine), Word::absent(0), true};
}

std::optional<Word> Shard::appear(Object& object, Word now) {
  Locked locked(lock_);
  // Absent under the lock is absent until it is released: only `put` and this end it.
  if (object.load().present()) return std::nullopt;
  ++present_;
  return object.word.exchange(now, std::memory_order_acq_rel);
}

std::optional<Word> Shard::erase(Object& object, Word absent) {
  Locked locked(lock_);
  Word found = object.load();
  while (found.present()) {
    if (object.word.compare_exchange_weak(found, absent, std::memory_order_acq_rel)) {
      --present_;
      return found;
    }
  }
  return std::nullopt;
}

void Shard::grow() noexcept {
  Buckets& old = *buckets_.load(std::memory_order_relaxed);
  auto wider = std::make_unique<Buckets>(old.bits + 1);
  for (size_t i = 0; i < old.count(); ++i) {
    size_t filled = 2 * i;
    for (Object* object = old.heads[i].load(std::memory_order_relaxed);
         object != nullptr && old.index(object->hash) == i && filled <= 2 * i + 1;
         object = object->next.load(std::memory_order_relaxed)) {
      const size_t index = wider->index(object->hash);
      if (index < filled) continue;
      wider->heads[index].store(object, std::memory_order_relaxed);
      filled = index + 1;
    }
  }
  buckets_.store(wider.release(), std::memory_order_release);
  outgrown_.emplace_back(&old);
}

void Shard::cut_chains() {
  const Buckets& buckets = *buckets_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < buckets.count(); ++i) {
    Object* object = buckets.heads[i].load(std::memory_order_relaxed);
    while (object != nullptr) {
      Object* next = object->next.load(std::memory_order_relaxed);
      if (next != nullptr && buckets.index(next->hash) != i) {
        object->next.store(nullptr, std::memory_order_relaxed);
        next = nullptr;
      }
      object = next;
    }
  }
}

void Shard::settle() {
  Locked locked(lock_);
  if (outgrown_.empty()) return;
  cut_chains();
  outgrown_.clear();
}

void Shard::restore(Object& object, Word word) {
  Locked locked(lock_);
  if (object.load().present()) --present_;
  if (word.present()) ++present_;
  object.word.store(word, std::memory_order_release);
}

void Shard::remove(Object& object) {
  Locked locked(lock_);
  EVE_CHECK(outgrown_.empty(), "a chain must be cut before something is taken out of it");
  std::atomic<Object*>& place = link(object.hash, object.key());
  EVE_CHECK(place.load(std::memory_order_relaxed) == &object, "object is not in its chain");
  place.store(object.next.load(std::memory_order_relaxed), std::memory_order_relaxed);
  --objects_;
}

size_t Shard::bytes() const {
  return sizeof(Shard) +
         buckets_.load(std::memory_order_relaxed)->count() * sizeof(std::atomic<Object*>);
}

}  // namespace eve::state
