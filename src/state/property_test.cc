// Random operations on every container against a plain model: batches, requests that are undone,
// rollbacks, commits, old versions and transfers.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "state/property_support.h"

namespace eve::state {
namespace {

using testing::digester;
using testing::Keys;
using testing::on_worker;
using testing::PageFill;
using testing::Plain;
using testing::require;
using testing::World;

// ---- One random operation on an engine and on its model ----

class Operation {
 public:
  Operation(World& world, Plain& plain, Random& random, Context context)
      : world_(world), plain_(plain), random_(random), context_(context) {}

  void run() {
    const size_t id = random_.below(keys_.size());
    switch (keys_.at(id).container) {
      case testing::kCell:
      case testing::kNumbers:
        return on_key(id);
      case testing::kBytes:
        return random_.chance(1, 32) ? whole_map() : on_key(id);
      case testing::kPages:
        return on_page(id);
      case testing::kOrdered:
        return random_.chance(1, 2) ? on_key(id) : ordered_bytes();
      default:
        return random_.chance(1, 2) ? on_key(id) : ordered_pairs();
    }
  }

 private:
  void on_key(size_t id) {
    uint32_t& held = plain_.held[id];
    const uint64_t kind = random_.below(8);
    if (kind < 3) {
      testing::check_get(world_, context_, id, held);
    } else if (kind < 5 && id > 0) {
      require(testing::erase(world_, context_, id) == (held != 0), "erase");
      held = 0;
    } else {
      held = testing::some_value(random_);
      testing::put(world_, context_, id, held);
    }
  }

  void on_page(size_t id) {
    const size_t count = keys_.first(testing::kPages);
    if (id == count || random_.chance(1, 32)) return resize(count);
    uint32_t& held = plain_.held[id];
    const auto fill = static_cast<uint8_t>(random_.below(128));
    const size_t quarter = random_.below(4);
    switch (random_.below(4)) {
      case 0:
        held = PageFill::whole(fill);
        return testing::put(world_, context_, id, held);
      case 1:
      case 2:
        held = PageFill(held).patched(quarter, fill);
        return world_.pages.patch(context_, testing::page_index(id), quarter * PageFill::kQuarter,
                                  PageFill(held)
                                      .bytes()
                                      .substr(0, PageFill::kQuarter)
                                      .assign(PageFill::kQuarter, static_cast<char>(fill)));
      default:
        return testing::check_get(world_, context_, id, held);
    }
  }

  void resize(size_t id) {
    constexpr std::array<uint32_t, 6> kCounts{0, 3, 7, 251, 301, 1u << 30};
    const uint32_t to = kCounts[random_.below(kCounts.size())];
    uint32_t& held = plain_.held[id];
    testing::check_get(world_, context_, id, held);
    for (size_t page = id + 1; held != 0 && page < keys_.end(testing::kPages); ++page) {
      if (testing::page_index(page) >= to && testing::page_index(page) < held - 1)
        plain_.held[page] = 0;
    }
    held = to + 1;
    world_.pages.resize(context_, to);
  }

  void whole_map() {
    const uint64_t present = plain_.count(testing::kBytes);
    require(world_.bytes.size(context_) == present, "size");
    uint64_t seen = 0;
    world_.bytes.scan(context_, 0, [&](const ByteMap::Entry& entry) {
      const auto id = id_of(testing::kBytes, entry.key);
      require(id && entry.value == Plain::value(*id, plain_.held[*id]), "scan");
      ++seen;
      return true;
    });
    require(seen == present, "scan");
  }

  /// Any byte string near some key: the key, a bit more, or a bit less.
  Bytes near(testing::Container container) {
    const size_t first = keys_.first(container);
    Bytes key = keys_.at(first + random_.below(keys_.end(container) - first)).bytes;
    if (random_.chance(1, 4)) key.push_back('\0');
    if (!key.empty() && random_.chance(1, 4)) key.pop_back();
    return key;
  }
  /// The first id at or above `key`.
  size_t at_or_above(testing::Container container, ByteView key) const {
    size_t id = keys_.first(container);
    while (id < keys_.end(container) && keys_.at(id).bytes < key) ++id;
    return id;
  }
  std::optional<size_t> id_of(testing::Container container, ByteView key) const {
    const size_t id = at_or_above(container, key);
    const bool there = id < keys_.end(container) && keys_.at(id).bytes == key;
    return there ? std::optional(id) : std::nullopt;
  }
  bool is(const std::optional<OrderedByteMap::Entry>& found, std::optional<size_t> id) const {
    if (!found || !id) return !found && !id;
    return found->key == keys_.at(*id).bytes && found->value == Plain::value(*id, plain_.held[*id]);
  }
  bool is(const std::optional<std::pair<World::Pair, uint64_t>>& found,
          std::optional<size_t> id) const {
    if (!found || !id) return !found && !id;
    return found->first == *KeyCodec<World::Pair>::decode(keys_.at(*id).bytes) &&
           found->second == plain_.held[*id];
  }

  void ordered_bytes() {
    const OrderedByteMap& map = world_.ordered;
    const size_t first = keys_.first(testing::kOrdered);
    const size_t end = keys_.end(testing::kOrdered);
    const Bytes key = near(testing::kOrdered);
    const size_t above = at_or_above(testing::kOrdered, key);
    switch (random_.below(8)) {
      case 0:
        return require(is(map.lower_bound(context_, key), plain_.first_in(above, end)), "lower");
      case 1: {
        const bool there = above < end && keys_.at(above).bytes == key;
        const auto expected = plain_.first_in(above + (there ? 1 : 0), end);
        return require(is(map.upper_bound(context_, key), expected), "upper");
      }
      case 2:
        return require(is(map.before(context_, key), plain_.last_in(first, above)), "before");
      case 3:
        return require(is(map.first(context_), plain_.first_in(first, end)), "first");
      case 4:
        return require(is(map.last(context_), plain_.last_in(first, end)), "last");
      case 5:
        return require(map.size(context_) == plain_.count(testing::kOrdered), "size");
      case 6:
        return prefix(key);
      default:
        return range(key, near(testing::kOrdered));
    }
  }

  /// Walks down or up, at most a few entries; says that [from, to) is what is visited.
  template <typename Walk>
  void check_walk(size_t from, size_t to, bool down, const Walk& walk) {
    uint64_t left = random_.below(12);
    bool stopped = false;
    walk([&](const auto& entry) {
      const auto id = down ? plain_.last_in(from, to) : plain_.first_in(from, to);
      require(!stopped && id && is(entry, id), "walk");
      (down ? to : from) = down ? *id : *id + 1;
      stopped = left-- == 0;
      return !stopped;
    });
    require(stopped || !plain_.first_in(from, to), "a walk that ended too early");
  }

  void prefix(const Bytes& prefix) {
    const size_t from = at_or_above(testing::kOrdered, prefix);
    size_t to = from;
    while (to < keys_.end(testing::kOrdered) &&
           keys_.at(to).bytes.compare(0, prefix.size(), prefix) == 0) {
      ++to;
    }
    const bool down = random_.chance(1, 2);
    check_walk(from, to, down, [&](const auto& visit) {
      const auto each = [&](const ByteMap::Entry& entry) { return visit(std::optional(entry)); };
      if (down) return world_.ordered.prefix_down(context_, prefix, each);
      world_.ordered.prefix(context_, prefix, each);
    });
  }

  void range(const Bytes& from, const Bytes& to) {
    const bool bounded = random_.chance(3, 4);
    const bool down = random_.chance(1, 2);
    const size_t end = bounded ? at_or_above(testing::kOrdered, to) : keys_.end(testing::kOrdered);
    const std::optional<ByteView> upper = bounded ? std::optional<ByteView>(to) : std::nullopt;
    check_walk(at_or_above(testing::kOrdered, from), end, down, [&](const auto& visit) {
      const auto each = [&](const ByteMap::Entry& entry) { return visit(std::optional(entry)); };
      if (down) return world_.ordered.range_down(context_, from, upper, each);
      world_.ordered.range(context_, from, upper, each);
    });
  }

  void ordered_pairs() {
    const auto& map = world_.pairs;
    const size_t first = keys_.first(testing::kPairs);
    const size_t end = keys_.end(testing::kPairs);
    const size_t id = first + random_.below(end - first);
    const World::Pair key = *KeyCodec<World::Pair>::decode(keys_.at(id).bytes);
    const bool down = random_.chance(1, 2);
    const auto each = [](const auto& visit) {
      return [&visit](const World::Pair& at, uint64_t value) {
        return visit(std::optional(std::pair(at, value)));
      };
    };
    switch (random_.below(6)) {
      case 0:
        return require(is(map.lower_bound(context_, key), plain_.first_in(id, end)), "lower");
      case 1:
        return require(is(map.upper_bound(context_, key), plain_.first_in(id + 1, end)), "upper");
      case 2:
        return require(is(map.before(context_, key), plain_.last_in(first, id)), "before");
      case 3:
        require(is(map.last(context_), plain_.last_in(first, end)), "last");
        return require(is(map.first(context_), plain_.first_in(first, end)), "first");
      case 4:
        return check_walk(id, end, down, [&](const auto& visit) {
          if (down) return map.range_down(context_, key, std::nullopt, each(visit));
          map.range(context_, key, std::nullopt, each(visit));
        });
      default: {
        const size_t group = id - (id - first) % 6;  // six numbers to a name
        return check_walk(group, group + 6, down, [&](const auto& visit) {
          if (down) return map.prefix_down(context_, std::tuple(key.first), each(visit));
          map.prefix(context_, std::tuple(key.first), each(visit));
        });
      }
    }
  }

  const Keys& keys_ = Keys::all();
  World& world_;
  Plain& plain_;
  Random& random_;
  Context context_;
};

// ---- Walks on one thread, checked in full ----

class Walk {
 public:
  Walk(uint64_t seed, const crypto::Digester& used)
      : random_(seed), digester_(used), world_(std::make_unique<World>(used)) {}

  uint64_t run(uint64_t operations) {
    while (done_ < operations) {
      write_batch(operations);
      if (random_.chance(1, 10)) {
        roll_back();
        continue;
      }
      seal();
      if (random_.chance(1, 8)) roll_back();
      if (random_.chance(1, 3)) commit();
      if (random_.chance(1, 16)) check_old_version();
      if (random_.chance(1, 24)) transfer();
    }
    return done_;
  }

 private:
  Engine& engine() { return world_->engine; }

  void write_batch(uint64_t operations) {
    engine().begin(engine().last().next());
    now_ = versions_.back();
    const uint64_t requests = 1 + random_.below(40);
    for (uint64_t i = 0; i < requests && done_ < operations; ++i) {
      const bool marked = random_.chance(1, 5);
      if (marked) engine().mark();
      const std::vector<uint32_t> before = marked ? now_.held : std::vector<uint32_t>();
      const Context context = on_worker(random_.below(8));
      const uint64_t count = std::min(1 + random_.below(12), operations - done_);
      for (uint64_t k = 0; k < count; ++k) Operation(*world_, now_, random_, context).run();
      done_ += count;
      if (!marked || random_.chance(1, 3)) continue;
      engine().undo_to_mark();
      now_.held = before;
    }
  }

  void seal() {
    now_.place();
    versions_.push_back(now_);
    const auto root = engine().seal(scheduler_);
    require(engine().counts().slots == now_.slots.size(), "number of slots");
    if (random_.chance(1, 4)) require(root == now_.root(digester_), "root");
    if (random_.chance(1, 16)) check_all();
  }

  void roll_back() {
    const uint64_t committed = engine().committed().value();
    const uint64_t n = committed + random_.below(engine().last().value() - committed + 1);
    engine().rollback(BatchNumber(n), scheduler_);
    versions_.resize(n + 1);
    require(engine().root() == versions_.back().root(digester_), "root after a rollback");
    check_all();
  }

  void commit() {
    const uint64_t committed = engine().committed().value();
    engine().commit(
        BatchNumber(committed + random_.below(engine().last().value() - committed + 1)));
  }

  BatchNumber some_version() {
    const uint64_t oldest = engine().oldest().value();
    return BatchNumber(oldest + random_.below(engine().last().value() - oldest + 1));
  }

  void check_old_version() {
    const BatchNumber n = some_version();
    const Plain& plain = versions_[n.value()];
    require(engine().root_at(n) == plain.root(digester_), "root of an old version");
    const auto read = testing::read_version(engine(), n, digester_);
    require(read && *read == plain.objects(), "an old version");
  }

  /// Brings another engine, which has a past of its own, to some version of this one, and goes on
  /// there.
  void transfer() {
    if (other_ == nullptr) other_ = std::make_unique<World>(digester_);
    const BatchNumber n = some_version();
    Fetch fetch(other_->engine, *engine().root_at(n));
    while (!fetch.complete()) {
      for (const TreeNode id : fetch.wants(32)) {
        const auto payload = engine().node(n, id);
        require(payload && fetch.supply(id, *payload), "a node of an old version");
      }
    }
    require(fetch.install(n, scheduler_).ok(), "install");
    std::swap(world_, other_);
    versions_.resize(n.value() + 1);
    require(engine().root() == versions_.back().root(digester_), "root after a transfer");
    check_all();
  }

  void check_all() {
    const Plain& plain = versions_.back();
    Context context = on_worker(0);
    for (size_t id = 0; id < plain.held.size(); ++id) {
      testing::check_get(*world_, context, id, plain.held[id]);
    }
    auto next =
        plain.first_in(Keys::all().first(testing::kOrdered), Keys::all().end(testing::kOrdered));
    world_->ordered.range(context, std::nullopt, std::nullopt, [&](const ByteMap::Entry& entry) {
      require(next && entry.key == Keys::all().at(*next).bytes, "order");
      next = plain.first_in(*next + 1, Keys::all().end(testing::kOrdered));
      return true;
    });
    require(!next, "a key is missing in order");
  }

  Random random_;
  const crypto::Digester& digester_;
  std::unique_ptr<World> world_;
  std::unique_ptr<World> other_;
  InlineScheduler scheduler_;
  std::vector<Plain> versions_ = std::vector<Plain>(1);  // by batch number
  Plain now_;
  uint64_t done_ = 0;
};

uint64_t walk_sha(uint64_t seed, uint64_t operations) {
  return Walk(seed, digester(crypto::DigestAlgorithm::kSha256)).run(operations);
}
uint64_t walk_xxh(uint64_t seed, uint64_t operations) {
  return Walk(seed, digester(crypto::DigestAlgorithm::kXxh3)).run(operations);
}

TEST(Containers, DoAsTheModelSays1) {
  testing::check_walks("walks with SHA-256, 1", testing::kWalkOperations, walk_sha);
}
TEST(Containers, DoAsTheModelSays2) {
  testing::check_walks("walks with XXH3, 1", testing::kWalkOperations, walk_xxh);
}
TEST(Containers, DoAsTheModelSays3) {
  testing::check_walks("walks with SHA-256, 2", testing::kWalkOperations, walk_sha);
}
TEST(Containers, DoAsTheModelSays4) {
  testing::check_walks("walks with XXH3, 2", testing::kWalkOperations, walk_xxh);
}
}  // namespace
}  // namespace eve::state
