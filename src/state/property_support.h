// For the property tests: an engine with every container, a plain model of it, and single
// operations on both.
//
// Each test says how many operations it has done, all together more than ten million. A failure
// names the seed of the walk and the least number of operations that fails; RC_PARAMS (which
// RapidCheck prints) replays it.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "eve/ordered.h"
#include "eve/pages.h"
#include "state/node_format.h"
#include "state/test_support.h"

namespace eve::state::testing {

inline constexpr uint64_t kWalkOperations = 1'700'000;   // for each of four tests
inline constexpr uint64_t kAgreeOperations = 1'000'000;  // for each of three numbers of threads
inline constexpr uint64_t kRaceOperations = 500'000;
static_assert(4 * kWalkOperations + 3 * kAgreeOperations + kRaceOperations >= 10'000'000);

/// Ends a walk: RapidCheck reports it, shortens the walk, and says how to replay it.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

/// The containers, numbered as their tables are.
enum Container : uint16_t { kCell, kNumbers, kBytes, kOrdered, kPairs, kPages, kContainers };

/// Every key that a walk can write, in the order in which new objects take slots: an id is a place
/// in it.
class Keys {
 public:
  struct Key {
    Container container;
    Bytes bytes;
  };

  static const Keys& all() {
    static const Keys keys;
    return keys;
  }
  size_t size() const { return keys_.size(); }
  const Key& at(size_t id) const { return keys_[id]; }
  size_t first(Container container) const { return first_[container]; }
  size_t end(Container container) const { return first_[container + 1]; }

 private:
  Keys() {
    Random random(1);
    add(kCell, {""});
    std::vector<Bytes> numbers;
    for (uint32_t i = 0; i < 24; ++i) numbers.push_back(encoded<Codec<uint32_t>>(i * 0x01030507));
    add(kNumbers, numbers);
    add(kBytes, awkward(random, 40));
    add(kOrdered, awkward(random, 48));
    std::vector<Bytes> pairs;
    for (const char* name : {"", "a", "a\x01", "b"}) {
      for (const int32_t number : {INT32_MIN, -70000, -1, 0, 5, INT32_MAX}) {
        pairs.push_back(encoded<KeyCodec<Pair>>(Pair(name, number)));
      }
    }
    add(kPairs, pairs);
    std::vector<Bytes> pages{""};
    for (const uint64_t index : {0, 1, 2, 3, 4, 5, 6, 7, 250, 251, 256, 257, 300, 301}) {
      pages.push_back(encoded<KeyCodec<uint64_t>>(index));
    }
    pages.push_back(encoded<KeyCodec<uint64_t>>(Pages::kMaxPages - 1));
    add(kPages, pages);
    first_.push_back(keys_.size());
  }
  using Pair = std::pair<std::string, int32_t>;

  template <typename Encoder, typename T>
  static Bytes encoded(const T& value) {
    Bytes bytes;
    Encoder::encode(value, bytes);
    return bytes;
  }
  /// Keys that begin with one another, with bytes that sort last and first, and long ones.
  static std::vector<Bytes> awkward(Random& random, size_t count) {
    std::vector<Bytes> keys{""};
    constexpr ByteView kAlphabet("\0\1a\x7f\x80\xff", 6);
    while (keys.size() < count) {
      Bytes key = random.chance(1, 2) ? keys[random.below(keys.size())] : Bytes();
      const uint64_t more = 1 + random.below(random.chance(1, 4) ? 12 : 3);
      for (uint64_t i = 0; i < more; ++i) key += kAlphabet[random.below(kAlphabet.size())];
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    return keys;
  }
  void add(Container container, std::vector<Bytes> keys) {
    std::sort(keys.begin(), keys.end());
    first_.push_back(keys_.size());
    for (Bytes& key : keys) keys_.push_back({container, std::move(key)});
  }

  std::vector<Key> keys_;
  std::vector<size_t> first_;
};

/// A written page in a number: four quarters, each filled with one byte.
class PageFill {
 public:
  static constexpr size_t kPageSize = 512;
  static constexpr size_t kQuarter = kPageSize / 4;

  explicit PageFill(uint32_t held) : held_(held) {}
  static uint32_t whole(uint8_t fill) { return 0x80000000u | (fill & 0x7fu) * 0x00204081u; }
  uint32_t patched(size_t quarter, uint8_t fill) const {
    const auto shift = static_cast<unsigned>(7 * quarter);
    return 0x80000000u | (held_ & ~(0x7fu << shift)) | (fill & 0x7fu) << shift;
  }
  char quarter(size_t i) const { return static_cast<char>(held_ >> (7 * i) & 0x7f); }
  Bytes bytes() const {
    Bytes page;
    for (size_t i = 0; i < 4; ++i) page.append(kQuarter, quarter(i));
    return page;
  }
  bool is(ByteView page) const { return page == bytes(); }

 private:
  uint32_t held_;
};

/// What an engine has to be, computed the slow way from DESIGN 5.3. A value is a number here; 0 is
/// absence.
struct Plain {
  static Bytes value(size_t id, uint32_t held) {
    const Keys::Key& key = Keys::all().at(id);
    Bytes bytes;
    switch (key.container) {
      case kCell:
      case kPairs:
        Codec<uint64_t>::encode(held, bytes);
        break;
      case kPages:
        if (!key.bytes.empty()) return PageFill(held).bytes();
        Codec<uint64_t>::encode(held - 1, bytes);
        break;
      default:
        bytes.assign(held % 45, static_cast<char>(held * 7));
    }
    return bytes;
  }

  /// Gives slots to what `held` says, coming from the slots of the batch before.
  void place() {
    std::vector<bool> placed(held.size());
    for (int64_t& slot : slots) {
      if (slot >= 0 && held[static_cast<size_t>(slot)] == 0) slot = -1;
      if (slot >= 0) placed[static_cast<size_t>(slot)] = true;
    }
    size_t next = 0;
    for (size_t id = 0; id < held.size(); ++id) {
      if (held[id] == 0 || placed[id]) continue;
      while (next < slots.size() && slots[next] >= 0) ++next;
      if (next == slots.size()) slots.push_back(-1);
      slots[next] = static_cast<int64_t>(id);
    }
  }
  crypto::Digest root(const crypto::Digester& used) const {
    std::vector<crypto::Digest> leaves;
    Bytes payload;
    for (const int64_t slot : slots) {
      leaves.emplace_back();
      if (slot < 0) continue;
      const auto id = static_cast<size_t>(slot);
      const Keys::Key& key = Keys::all().at(id);
      payload.clear();
      encode_leaf({key.container, key.bytes, value(id, held[id])}, payload);
      leaves.back() = used.digest(payload);
    }
    return root_of_leaves(used, std::move(leaves));
  }
  std::map<Model::Name, std::string> objects() const {
    std::map<Model::Name, std::string> result;
    for (size_t id = 0; id < held.size(); ++id) {
      const Keys::Key& key = Keys::all().at(id);
      if (held[id] != 0) result[{key.container, key.bytes}] = value(id, held[id]);
    }
    return result;
  }
  uint64_t count(Container container) const {
    uint64_t present = 0;
    const Keys& keys = Keys::all();
    for (size_t id = keys.first(container); id < keys.end(container); ++id)
      present += held[id] != 0;
    return present;
  }
  /// The first or last present id in [from, to); nullopt: there is none.
  std::optional<size_t> first_in(size_t from, size_t to) const {
    while (from < to && held[from] == 0) ++from;
    return from < to ? std::optional(from) : std::nullopt;
  }
  std::optional<size_t> last_in(size_t from, size_t to) const {
    while (from < to && held[to - 1] == 0) --to;
    return from < to ? std::optional(to - 1) : std::nullopt;
  }

  std::vector<uint32_t> held = std::vector<uint32_t>(Keys::all().size());
  std::vector<int64_t> slots;  // the id there; -1: free
};

/// An engine with every container.
struct World {
  using Pair = std::pair<std::string, int32_t>;

  explicit World(const crypto::Digester& used)
      : engine(used, 8),
        state(engine),
        cell(state, "cell"),
        numbers(state, "numbers"),
        bytes(state, "bytes"),
        ordered(state, "ordered"),
        pairs(state, "pairs"),
        pages(state, "pages", PageFill::kPageSize) {}

  Engine engine;
  State state;
  Cell<uint64_t> cell;
  Map<uint32_t, std::string> numbers;
  ByteMap bytes;
  OrderedByteMap ordered;
  OrderedMap<Pair, uint64_t> pairs;
  Pages pages;
};

inline uint64_t page_index(size_t id) {
  return *KeyCodec<uint64_t>::decode(Keys::all().at(id).bytes);
}

inline uint32_t some_value(Random& random) {
  return 1 + static_cast<uint32_t>(random.below(1 << 20));
}

// ---- Single operations by id ----

inline std::optional<Bytes> owned(std::optional<ByteView> found) {
  return found ? std::optional<Bytes>(*found) : std::nullopt;
}

/// What the engine holds, checked against what the model does.
inline void check_get(World& world, Context& context, size_t id, uint32_t held) {
  const Keys::Key& key = Keys::all().at(id);
  const auto expected = held == 0 ? std::nullopt : std::optional(Plain::value(id, held));
  switch (key.container) {
    case kCell:
      require(world.cell.get(context) == held, "cell");
      break;
    case kNumbers:
      require(world.numbers.get(context, *Codec<uint32_t>::decode(key.bytes)) == expected, "get");
      break;
    case kBytes:
      require(owned(world.bytes.get(context, key.bytes)) == expected, "get");
      break;
    case kOrdered:
      require(owned(world.ordered.get(context, key.bytes)) == expected, "get");
      break;
    case kPairs: {
      const auto found = world.pairs.get(context, *KeyCodec<World::Pair>::decode(key.bytes));
      require(found.value_or(0) == held && found.has_value() == (held != 0), "get");
      break;
    }
    default:
      if (key.bytes.empty()) {
        require(world.pages.count(context) == (held == 0 ? 0 : held - 1), "count");
      } else {
        require(PageFill(held).is(world.pages.read(context, page_index(id))), "page");
      }
  }
}

inline void put(World& world, Context& context, size_t id, uint32_t held) {
  const Keys::Key& key = Keys::all().at(id);
  const Bytes value = Plain::value(id, held);
  switch (key.container) {
    case kCell:
      return world.cell.set(context, held);
    case kNumbers:
      return world.numbers.put(context, *Codec<uint32_t>::decode(key.bytes), value);
    case kBytes:
      return world.bytes.put(context, key.bytes, value);
    case kOrdered:
      return world.ordered.put(context, key.bytes, value);
    case kPairs:
      return world.pairs.put(context, *KeyCodec<World::Pair>::decode(key.bytes), held);
    default:
      return world.pages.write(context, page_index(id), value);
  }
}

/// Not for the cell and pages, which cannot lose their values alone.
inline bool erase(World& world, Context& context, size_t id) {
  const Keys::Key& key = Keys::all().at(id);
  switch (key.container) {
    case kNumbers:
      return world.numbers.erase(context, *Codec<uint32_t>::decode(key.bytes));
    case kBytes:
      return world.bytes.erase(context, key.bytes);
    case kOrdered:
      return world.ordered.erase(context, key.bytes);
    default:
      return world.pairs.erase(context, *KeyCodec<World::Pair>::decode(key.bytes));
  }
}

// ---- Properties ----

/// Runs walk(seed, count), which says how many operations it has done, from as many random seeds as
/// RapidCheck makes; `operations` in all.
template <typename OneWalk>
void check_walks(const char* what, uint64_t operations, const OneWalk& walk) {
  const auto& params = rc::detail::configuration().testParams;
  const uint64_t each = operations / static_cast<uint64_t>(params.maxSuccess) + 1;
  uint64_t done = 0;
  const bool held = rc::check(what, [&] {
    const uint64_t seed =
        *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<uint64_t>()))
             .as("seed of the walk");
    const uint64_t count = *rc::gen::shrink(rc::gen::just(each), [](uint64_t from) {
                              return rc::shrink::towards(from, uint64_t{1});
                            }).as("operations");
    done += walk(seed, count);
  });
  std::cerr << what << ": " << done << " operations\n";
  EXPECT_TRUE(held);
  EXPECT_GE(done, operations);
}

}  // namespace eve::state::testing
