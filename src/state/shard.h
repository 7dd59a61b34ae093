// One part of a table: a hash table of objects whose chains are ordered by (hash, key).
//
// Buckets are the top bits of the hash, so chains laid end to end are the whole shard in order, and
// growing splits a chain into a lower and an upper part without moving anything. Readers take no
// lock: within a batch objects are only ever added, and a chain is left connected when it is split
// (a reader that still has the old buckets finds what was there when it came). Between batches the
// owner cuts the split chains (settle) and takes objects out (remove).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "eve/bytes.h"
#include "state/lock.h"
#include "state/object.h"

namespace eve::state {

/// What a write found: the object, and what it held before.
struct Written {
  Object* object = nullptr;
  Word before;
  bool created = false;
};

class alignas(64) Shard {
 public:
  /// The top bits of a hash choose the shard.
  static constexpr unsigned kBits = 6;

  Shard();
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // ---- Any worker, at any time in a batch ----

  /// Null if there is no such object; one that is there may be absent. Lock-free.
  Object* find(uint64_t hash, ByteView key) const;
  /// Writes `now` to the object of `key`, which is made if need be (from `magazine`, if any).
  Written put(uint64_t hash, uint16_t table, ByteView key, Word now, Magazine* magazine = nullptr);
  /// The object of `key`, made (absent) if need be, and what it holds.
  Written make(uint64_t hash, uint16_t table, ByteView key, Magazine* magazine = nullptr);
  /// Makes `object` hold the version `now`; nullopt if it is present already.
  std::optional<Word> appear(Object& object, Word now);
  /// Makes `object` absent; nullopt if it was so already. `absent` carries the write stamp.
  std::optional<Word> erase(Object& object, Word absent);
  /// Calls visit(object) for objects with hash >= `from` in the order of (hash, key), absent ones
  /// too, until it returns false; false if it did. Lock-free: `visit` may use this shard.
  template <typename Visit>
  bool each(uint64_t from, const Visit& visit) const;

  /// Present objects, exactly: held by whoever counts several shards at one instant.
  Lock& lock() const EVE_STATE_ANNOTATION(lock_returned(lock_)) { return lock_; }
  uint64_t present() const EVE_REQUIRES(lock_) { return present_; }

  // ---- The owner, while no worker is inside ----

  /// Sets the word as it is, keeping count.
  void restore(Object& object, Word word);
  /// Takes `object`, which is absent, out; the caller destroys it.
  void remove(Object& object);
  /// Cuts the chains that growth has left connected and frees outgrown buckets.
  void settle();
  size_t bytes() const;

 private:
  struct Buckets {
    explicit Buckets(unsigned bucket_bits);
    size_t count() const { return size_t{1} << bits; }
    size_t index(uint64_t hash) const { return (hash << kBits) >> (64 - bits); }
    std::atomic<Object*>& head(uint64_t hash) const { return heads[index(hash)]; }

    const unsigned bits;
    const std::unique_ptr<std::atomic<Object*>[]> heads;
  };
  /// Where (hash, key) is or belongs: the link to follow or to change.
  std::atomic<Object*>& link(uint64_t hash, ByteView key) const;
  /// Links a new object in at `place`.
  Object& add(std::atomic<Object*>& place, uint64_t hash, uint16_t table, ByteView key, Word word,
              Magazine* magazine) EVE_REQUIRES(lock_);
  void grow() noexcept EVE_REQUIRES(lock_);
  void cut_chains() EVE_REQUIRES(lock_);

  mutable Lock lock_;
  uint64_t present_ EVE_GUARDED_BY(lock_) = 0;
  size_t objects_ EVE_GUARDED_BY(lock_) = 0;
  std::atomic<Buckets*> buckets_;
  std::vector<std::unique_ptr<Buckets>> outgrown_ EVE_GUARDED_BY(lock_);
};

template <typename Visit>
bool Shard::each(uint64_t from, const Visit& visit) const {
  const Buckets* buckets = buckets_.load(std::memory_order_acquire);
  size_t index = buckets->index(from);
  Object* object = buckets->heads[index].load(std::memory_order_acquire);
  while (true) {
    // A chain may run on into the next bucket's (see above).
    while (object == nullptr || buckets->index(object->hash) != index) {
      if (++index == buckets->count()) return true;
      object = buckets->heads[index].load(std::memory_order_acquire);
    }
    if (object->hash >= from && !visit(*object)) return false;
    // What `visit` has added further on is visited too, whether or not the shard grew for it: the
    // size of the shard differs between replicas and must not show.
    buckets = buckets_.load(std::memory_order_acquire);
    index = buckets->index(object->hash);
    object = object->next.load(std::memory_order_acquire);
  }
}

}  // namespace eve::state
