// One table of an engine: what a ByteMap (eve/state.h) is made of.
//
// Thread safety: the workers' part may be used by all workers at once within a batch, and reading
// by the owner between batches. Every operation is linearizable; scan is so entry by entry. Views
// stay valid until the batch has ended.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/state.h"
#include "state/ordered_index.h"
#include "state/shard.h"
#include "state/undo_log.h"

namespace eve::state {

/// What a table is the base of. The same on every replica, as the tables' names and order are.
enum class TableKind : uint8_t {
  kHashed,   ///< ByteMap
  kOrdered,  ///< OrderedByteMap: keys can be walked in order
  kPages,    ///< Pages: values are aligned
  kGraph,    ///< Graph: free-standing objects
  kGarbage,  ///< where a Graph's collector stands (gc.h); no container opens it
};

class Table {
 public:
  Table(uint16_t number, Bytes name, TableKind kind, const crypto::Digester& digester,
        UndoLog& undo);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  uint16_t number() const { return number_; }
  const Bytes& name() const { return name_; }
  TableKind kind() const { return kind_; }

  // ---- Workers; as in eve/state.h ----

  std::optional<ByteView> get(ByteView key) const;
  /// `references`: where references lie in `value` (references.h).
  void put(size_t worker, ByteView key, ByteView value, ByteView references = {});
  bool erase(size_t worker, ByteView key);
  uint64_t size() const;
  std::optional<uint64_t> scan(Context& context, uint64_t from,
                               const std::function<bool(const ByteMap::Entry&)>& visit) const;
  uint64_t hash_of(ByteView key) const { return digester_.keyed_hash(key); }
  /// Atomically replaces the value of `key` by change(value or nullopt), which may be called more
  /// than once and must not come back to this table.
  void update(size_t worker, ByteView key,
              const std::function<Bytes(std::optional<ByteView>)>& change);

  // Of kind kOrdered only. The first or last present key between two cuts, linearizable as a whole;
  // and all of them one after the other, each as first() behind the one before (or last() before
  // it), until `visit` returns false.
  std::optional<ByteMap::Entry> first(Context& context, const Cut& from, const Cut& to) const;
  std::optional<ByteMap::Entry> last(Context& context, const Cut& from, const Cut& to) const;
  void walk_up(Context& context, const Cut& from, const Cut& to,
               const std::function<bool(const ByteMap::Entry&)>& visit) const;
  void walk_down(Context& context, const Cut& from, Cut to,
                 const std::function<bool(const ByteMap::Entry&)>& visit) const;

  /// Of kind kGraph only: a new object; returns its handle.
  uint64_t create(size_t worker, Birth::Order order, ByteView value, ByteView references);
  /// Overwrites what is there; false if nothing is.
  bool set(size_t worker, ByteView key, ByteView value, ByteView references);

  // ---- The owner, while no worker is inside ----

  /// Null if neither the state nor its history knows `key`; one that is there may be absent.
  const Object* find(ByteView key) const;
  /// Where the objects are that references in this table name.
  void refer_to(const Table* graph) { graph_ = graph; }
  /// Of kind kGraph only: null if the handle is not, or no longer, known.
  Object* named(uint64_t handle) const;
  /// The object of `key`, made (absent) if need be, and what it holds.
  Written object(ByteView key);
  /// A version as objects of this table hold them.
  Version* make_version(ByteView bytes, Magazine* magazine = nullptr,
                        ByteView references = {}) const;
  /// Sets what an object of this table holds; versions are the caller's to free.
  void restore(Object& object, Word word);
  /// Takes an absent object out and destroys it.
  void remove(Object& object);
  /// For every object that a batch has made, when the batch has ended and before any remove().
  void settle(const Object& made) { shard(made.hash).settle(); }
  /// Once for every batch that has ended.
  void end_batch();
  void each(const std::function<void(Object&)>& visit) const;
  size_t bytes() const;

 private:
  static constexpr size_t kShards = size_t{1} << Shard::kBits;
  static size_t shard_index(uint64_t hash) { return hash >> (64 - Shard::kBits); }
  Shard& shard(uint64_t hash) { return shards_[shard_index(hash)]; }
  const Shard& shard(uint64_t hash) const { return shards_[shard_index(hash)]; }
  /// Throws std::length_error for what is beyond the limits of eve/state.h.
  void check_sizes(ByteView key, size_t value_size) const;
  /// Replaces what a present object holds; false if it is, or meanwhile became, absent.
  bool replace(size_t worker, const Written& found, Version* version);
  /// The same whether it is present or absent.
  void set(size_t worker, const Written& found, Version* version);
  OrderedIndex::Found first_found(Context& context, const Cut& from, const Cut& to,
                                  const OrderedIndex::Node* near) const;
  OrderedIndex::Found last_found(Context& context, const Cut& from, const Cut& to) const;
  void lock_all() const;
  void unlock_all() const;
  /// A version of what a request writes, its references made good.
  Version* make_good_version(ByteView value, Magazine* magazine, ByteView references) const;

  const uint16_t number_;
  const Bytes name_;
  const TableKind kind_;
  const crypto::Digester& digester_;
  UndoLog& undo_;
  const Table* graph_ = nullptr;
  std::array<Shard, kShards> shards_;
  const std::unique_ptr<OrderedIndex> index_;  // of kind kOrdered only
};

}  // namespace eve::state
