// Replicated state: containers of objects. An object is the unit of hashing, copy-on-write and
// transfer (DESIGN 5; paper section 4.1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "eve/bytes.h"
#include "eve/codec.h"
#include "eve/context.h"
#include "eve/fields.h"

namespace eve {

namespace state {
class Engine;
class Table;
enum class TableKind : uint8_t;
}  // namespace state

/// Where a service's containers live; made by Eve, one a replica. Containers register themselves at
/// construction, in the same order on every replica, each under a name of its own: one name twice
/// is one container, whatever the types, and throws std::invalid_argument if the kinds differ.
/// Names that begin with "eve." are Eve's; a service's that do throw std::invalid_argument too.
class State {
 public:
  enum class User : bool { kService, kEve };
  explicit State(state::Engine& engine, User user = User::kService)
      : engine_(engine), user_(user) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// The table called `name`, made if it does not exist. Call while the service is constructed.
  state::Table& table(ByteView name);
  state::Table& table(ByteView name, state::TableKind kind);

  /// The one table of free-standing objects, for Graph.
  state::Table& graph_table();

 private:
  state::Engine& engine_;
  const User user_;
};

/// A map from byte strings to byte strings: what typed containers are made of.
///
/// Thread safety: every operation is linearizable (`scan`: entry by entry) and safe against every
/// other, whatever the mixer let through. A view that `get` returns stays valid and unchanged until
/// the request ends, even if the key is overwritten meanwhile.
/// Limits: kMaxKeyBytes and kMaxValueBytes. Beyond them std::length_error is thrown, and nothing
/// done; where the service lets it pass, the request is undone and fails as any that throws.
class ByteMap {
 public:
  static constexpr size_t kMaxKeyBytes = size_t{64} << 10;
  static constexpr size_t kMaxValueBytes = size_t{72} << 20;  ///< one message between replicas

  ByteMap(State& state, ByteView name) : table_(state.table(name)) {}

  std::optional<ByteView> get(Context& context, ByteView key) const;
  void put(Context& context, ByteView key, ByteView value);
  /// For typed containers: a value with references, as detail::Stored (eve/fields.h) has it.
  void put(Context& context, ByteView key, ByteView value, ByteView references);
  /// True if the key was present.
  bool erase(Context& context, ByteView key);
  /// Number of keys. Reads the whole container: a request that calls it conflicts with every
  /// writer.
  uint64_t size(Context& context) const;

  struct Entry {
    ByteView key;
    ByteView value;
  };
  /// Visits entries in the order of hash_of(key), then key, from the first with hash >= `from`,
  /// until `visit` returns false. The order is the same on every replica. Reads the whole
  /// container, as size() does. Returns the hash to go on from, or nullopt at the end; entries of
  /// one hash are never split between two calls.
  std::optional<uint64_t> scan(Context& context, uint64_t from,
                               const std::function<bool(const Entry&)>& visit) const;
  /// The deterministic, secret-keyed hash that orders scan().
  uint64_t hash_of(ByteView key) const;

 private:
  state::Table& table_;
};

/// A typed map. K needs a Codec, V a Codec or fields (eve/fields.h), in which references to objects
/// of the Graph may lie; values are decoded at every read.
/// `get` copies; for strings without a copy use ByteMap.
template <typename K, typename V>
class Map {
 public:
  Map(State& state, ByteView name) : bytes_(state, name) {}

  std::optional<V> get(Context& context, const K& key) const {
    auto found = bytes_.get(context, detail::Encoded<K>(key).view());
    return found ? detail::decode_stored<V>(*found) : std::nullopt;
  }
  void put(Context& context, const K& key, const V& value) {
    const detail::Stored<V> stored(value);
    bytes_.put(context, detail::Encoded<K>(key).view(), stored.view(), stored.references());
  }
  bool erase(Context& context, const K& key) {
    return bytes_.erase(context, detail::Encoded<K>(key).view());
  }
  uint64_t size(Context& context) const { return bytes_.size(context); }

 private:
  ByteMap bytes_;
};

/// One value, `initial` until it is first set. A map with a single key.
template <typename T>
class Cell {
 public:
  Cell(State& state, ByteView name, T initial = T())
      : map_(state, name), initial_(std::move(initial)) {}

  T get(Context& context) const { return map_.get(context, std::string()).value_or(initial_); }
  void set(Context& context, const T& value) { map_.put(context, std::string(), value); }

 private:
  Map<std::string, T> map_;
  T initial_;
};

}  // namespace eve
