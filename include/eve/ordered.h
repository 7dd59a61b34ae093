// Replicated maps whose keys can be walked in order (DESIGN 5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/fields.h"
#include "eve/key_codec.h"
#include "eve/state.h"

namespace eve {

/// An ordered map from byte strings to byte strings; keys are ordered as unsigned bytes.
///
/// Thread safety: every operation is safe against every other, whatever the mixer let through. All
/// but the walks (`range`, `prefix` and the like) are linearizable as a whole, bounds too: what
/// `lower_bound` returns was, at one instant, the first present key at or above the one asked for.
/// Why: within a batch the index behind them only grows, and holds a key before the key can be
/// present. So if the key found was read as present, and after that its neighbour in the index is
/// still the one that it was, nothing lay between when it was read. Where keys that are absent
/// stand between, each has counted how often it appeared, and the same count afterwards says that
/// it stayed absent; after a few failures the bound is taken while no key can come or go.
/// A walk is linearizable entry by entry: each step goes to what is, at its instant, the first
/// present key behind the last one visited. A key that is present throughout is visited.
///
/// A view stays valid and unchanged until the request ends. A request that calls a bound or a walk
/// conflicts with every request that makes a key in the stretch it covers appear or disappear. In
/// Service::footprint() name one key of your own for a stretch: read by walks, written where keys
/// come or go.
/// Keys erased in the batch that is still open are stepped over one by one: k requests that each
/// take the first key cost k * k / 2 short steps in one batch (10,000: about a tenth of a second).
/// Limits: as ByteMap.
class OrderedByteMap {
 public:
  using Entry = ByteMap::Entry;
  /// Returns false to stop.
  using Visit = std::function<bool(const Entry&)>;

  OrderedByteMap(State& state, ByteView name);

  std::optional<ByteView> get(Context& context, ByteView key) const;
  void put(Context& context, ByteView key, ByteView value);
  /// As ByteMap's, for OrderedMap.
  void put(Context& context, ByteView key, ByteView value, ByteView references);
  /// True if the key was present.
  bool erase(Context& context, ByteView key);
  /// Number of keys. Reads the whole container.
  uint64_t size(Context& context) const;

  /// The first entry with a key >= `key`.
  std::optional<Entry> lower_bound(Context& context, ByteView key) const;
  /// The first entry with a key > `key`.
  std::optional<Entry> upper_bound(Context& context, ByteView key) const;
  /// The last entry with a key < `key`.
  std::optional<Entry> before(Context& context, ByteView key) const;
  std::optional<Entry> first(Context& context) const;
  std::optional<Entry> last(Context& context) const;

  /// Visits the entries with keys in [from, to), ascending; nullopt: unbounded. `visit` may write
  /// to this map: keys that it puts further on are visited too.
  void range(Context& context, std::optional<ByteView> from, std::optional<ByteView> to,
             const Visit& visit) const;
  /// The same entries, descending. A step costs O(log size) here.
  void range_down(Context& context, std::optional<ByteView> from, std::optional<ByteView> to,
                  const Visit& visit) const;
  /// Visits the entries whose keys begin with `prefix`, ascending or descending.
  void prefix(Context& context, ByteView prefix, const Visit& visit) const;
  void prefix_down(Context& context, ByteView prefix, const Visit& visit) const;

 private:
  state::Table& table_;
};

/// A typed ordered map. K needs a KeyCodec (eve/key_codec.h), which gives the order of keys; V a
/// Codec or fields (eve/fields.h), in which references to objects of the Graph may lie. Guarantees
/// as OrderedByteMap. Entries are decoded, so copied, as they are read; one that does not decode,
/// as another type had left it, counts in size(), reads as absent and is passed over by walks.
template <typename K, typename V>
class OrderedMap {
 public:
  static_assert(
      requires(const K& key, Bytes& out) { KeyCodec<K>::encode(key, out); },
      "an ordered key needs a KeyCodec<K> (eve/key_codec.h): an integer, enum, string, pair, "
      "tuple");
  using Entry = std::pair<K, V>;
  /// Returns false to stop.
  using Visit = std::function<bool(const K&, const V&)>;

  OrderedMap(State& state, ByteView name) : bytes_(state, name) {}

  std::optional<V> get(Context& context, const K& key) const {
    const auto found = bytes_.get(context, encode_key(key));
    return found ? decode_value(*found) : std::nullopt;
  }
  void put(Context& context, const K& key, const V& value) {
    const detail::Stored<V> stored(value);
    bytes_.put(context, encode_key(key), stored.view(), stored.references());
  }
  bool erase(Context& context, const K& key) { return bytes_.erase(context, encode_key(key)); }
  uint64_t size(Context& context) const { return bytes_.size(context); }

  std::optional<Entry> lower_bound(Context& context, const K& key) const {
    return decode(bytes_.lower_bound(context, encode_key(key)));
  }
  std::optional<Entry> upper_bound(Context& context, const K& key) const {
    return decode(bytes_.upper_bound(context, encode_key(key)));
  }
  std::optional<Entry> before(Context& context, const K& key) const {
    return decode(bytes_.before(context, encode_key(key)));
  }
  std::optional<Entry> first(Context& context) const { return decode(bytes_.first(context)); }
  std::optional<Entry> last(Context& context) const { return decode(bytes_.last(context)); }

  void range(Context& context, const std::optional<K>& from, const std::optional<K>& to,
             const Visit& visit) const {
    const Ends ends(from, to);
    bytes_.range(context, ends.from(), ends.to(), decoding(visit));
  }
  void range_down(Context& context, const std::optional<K>& from, const std::optional<K>& to,
                  const Visit& visit) const {
    const Ends ends(from, to);
    bytes_.range_down(context, ends.from(), ends.to(), decoding(visit));
  }
  /// Entries whose keys begin with `head`: of string keys a string, of tuple (and pair) keys a
  /// tuple of the leading parts, all but the last at most.
  template <typename Head>
  void prefix(Context& context, const Head& head, const Visit& visit) const {
    bytes_.prefix(context, encode_head(head), decoding(visit));
  }
  template <typename Head>
  void prefix_down(Context& context, const Head& head, const Visit& visit) const {
    bytes_.prefix_down(context, encode_head(head), decoding(visit));
  }

 private:
  /// The encoded ends of a range.
  class Ends {
   public:
    Ends(const std::optional<K>& from, const std::optional<K>& to) {
      if (from) from_ = encode_key(*from);
      if (to) to_ = encode_key(*to);
    }
    std::optional<ByteView> from() const { return view(from_); }
    std::optional<ByteView> to() const { return view(to_); }

   private:
    static std::optional<ByteView> view(const std::optional<Bytes>& bytes) {
      return bytes ? std::optional<ByteView>(*bytes) : std::nullopt;
    }
    std::optional<Bytes> from_;
    std::optional<Bytes> to_;
  };

  static Bytes encode_key(const K& key) {
    Bytes bytes;
    KeyCodec<K>::encode(key, bytes);
    return bytes;
  }
  template <typename Head>
  static Bytes encode_head(const Head& head) {
    if constexpr (std::is_convertible_v<const Head&, ByteView>) {
      static_assert(std::is_same_v<K, std::string>,
                    "the keys are no strings: for tuples pass std::tuple(part, ...)");
      return Bytes(ByteView(head));
    } else {
      Bytes bytes;
      KeyCodec<K>::encode_head(head, bytes);
      return bytes;
    }
  }
  static std::optional<V> decode_value(ByteView bytes) { return detail::decode_stored<V>(bytes); }
  static std::optional<Entry> decode(const std::optional<OrderedByteMap::Entry>& entry) {
    if (!entry) return std::nullopt;
    auto key = KeyCodec<K>::decode(entry->key);
    auto value = decode_value(entry->value);
    if (!key || !value) return std::nullopt;
    return Entry(std::move(*key), std::move(*value));
  }
  static OrderedByteMap::Visit decoding(const Visit& visit) {
    return [&visit](const OrderedByteMap::Entry& entry) {
      const auto decoded = decode(entry);
      return !decoded || visit(decoded->first, decoded->second);
    };
  }
  OrderedByteMap bytes_;
};

}  // namespace eve
