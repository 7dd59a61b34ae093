#include "eve/ordered.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <set>

#include "base/limits.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::on_worker;
using testing::sha256;
using testing::ThreadScheduler;

struct World {
  World() : engine(sha256(), 8), state(engine), map(state, "ordered") {}
  void begin() { engine.begin(engine.last().next()); }
  void seal() { engine.seal(scheduler); }

  Engine engine;
  State state;
  OrderedByteMap map;
  InlineScheduler scheduler;
};

Bytes key_of(uint64_t number) {
  Bytes key;
  KeyCodec<uint64_t>::encode(number, key);
  return key;
}
uint64_t number_of(const OrderedByteMap::Entry& entry) {
  return *KeyCodec<uint64_t>::decode(entry.key);
}

TEST(Ordered, BoundsAndWalksOfAnEmptyMapFindNothing) {
  World w;
  Context context = on_worker(0);
  EXPECT_FALSE(w.map.first(context));
  EXPECT_FALSE(w.map.last(context));
  EXPECT_FALSE(w.map.lower_bound(context, ""));
  EXPECT_FALSE(w.map.before(context, "x"));
  w.map.range(context, std::nullopt, std::nullopt, [](const auto&) {
    ADD_FAILURE();
    return true;
  });
}

TEST(Ordered, TypedMapsWalkInTheOrderOfTheirKeys) {
  Engine engine(sha256(), 1);
  State state(engine);
  OrderedMap<std::tuple<std::string, int32_t>, std::string> map(state, "typed");
  OrderedMap<std::string, uint32_t> names(state, "names");
  Context context = on_worker(0);
  engine.begin(BatchNumber(1));
  for (const int32_t i : {5, -5, 0}) {
    for (const char* name : {"b", "a", "ab"}) map.put(context, {name, i}, name + std::to_string(i));
  }
  for (const char* name : {"x", "xy", "y"}) names.put(context, name, 1);
  std::string seen;
  const auto collect = [&](const auto&, const std::string& value) {
    seen += value + " ";
    return true;
  };
  map.range(context, std::tuple("a", 0), std::tuple("b", 0), collect);
  EXPECT_EQ(seen, "a0 a5 ab-5 ab0 ab5 b-5 ");
  seen.clear();
  map.range_down(context, std::nullopt, std::tuple("ab", 0), collect);
  EXPECT_EQ(seen, "ab-5 a5 a0 a-5 ");
  seen.clear();
  map.prefix(context, std::tuple("a"), collect);
  EXPECT_EQ(seen, "a-5 a0 a5 ");
  EXPECT_EQ(map.before(context, {"b", -5})->second, "ab5");
  EXPECT_EQ(map.size(context), 9u);
  uint32_t with_x = 0;
  names.prefix_down(context, "x", [&](const std::string&, uint32_t one) {
    with_x += one;
    return true;
  });
  EXPECT_EQ(with_x, 2u);
}

TEST(Ordered, WalksSeeWhatTheVisitorPutsFurtherOn) {
  World w;
  Context context = on_worker(0);
  w.begin();
  w.map.put(context, key_of(0), "");
  uint64_t visited = 0;
  w.map.range(context, std::nullopt, std::nullopt, [&](const OrderedByteMap::Entry& entry) {
    const uint64_t number = number_of(entry);
    EXPECT_EQ(number, visited++);
    w.map.erase(context, entry.key);
    if (number < 20) w.map.put(context, key_of(number + 1), "");
    return true;
  });
  EXPECT_EQ(visited, 21u);
}

/// Counts steps; and, if asked to, does something at some of them.
struct Hook final : AccessHook {
  void on_access() override {
    ++steps;
    if (each) each();
  }
  uint64_t steps = 0;
  std::function<void()> each;
};

// Erased keys are stepped over in their own batch only, or a queue would get slower for ever.
TEST(Ordered, AQueueStaysFast) {
  constexpr uint64_t kBatches = 1000;
  constexpr uint64_t kEach = 100;
  World w;
  Hook hook;
  Context context({}, 0, &hook);
  uint64_t pushed = 0;
  uint64_t popped = 0;
  w.begin();
  for (; pushed < 5 * kEach; ++pushed) w.map.put(context, key_of(pushed), "");
  w.seal();
  const size_t bytes = w.engine.counts().bytes;
  for (uint64_t batch = 0; batch < kBatches; ++batch) {
    w.begin();
    for (uint64_t i = 0; i < kEach; ++i) {
      w.map.put(context, key_of(pushed++), "");
      hook.steps = 0;
      const auto first = w.map.first(context);
      ASSERT_TRUE(first && number_of(*first) == popped++);
      ASSERT_LE(hook.steps, i + 3);
      w.map.erase(context, first->key);
    }
    w.seal();
    w.engine.commit(w.engine.last());
  }
  EXPECT_EQ(popped, kBatches * kEach);
  // History keeps the erased objects of some batches, but nothing grows with all of them.
  EXPECT_LT(w.engine.counts().bytes, bytes + 2 * limits::kHistoryBatches * kEach * 300);
}

TEST(Ordered, ForgetsErasedKeysOfBatchesThatWereUndone) {
  World w;
  Hook hook;
  Context context({}, 0, &hook);
  w.begin();
  for (uint64_t i = 0; i < 500; ++i) w.map.put(context, key_of(i), "");
  w.seal();
  w.begin();
  for (uint64_t i = 500; i < 1000; ++i) w.map.put(context, key_of(i), "");
  for (uint64_t i = 0; i < 400; ++i) w.map.erase(context, key_of(i));
  w.seal();
  EXPECT_EQ(number_of(*w.map.first(context)), 400u);
  w.engine.rollback(BatchNumber(1), w.scheduler);
  w.begin();
  w.seal();
  hook.steps = 0;
  EXPECT_EQ(number_of(*w.map.first(context)), 0u);
  EXPECT_EQ(number_of(*w.map.last(context)), 499u);
  EXPECT_LE(hook.steps, 6u);
}

// ---- Linearizability of bounds ----

constexpr uint64_t kKeys = 5;

/// One bound on a map of a few keys, while writes happen between its steps.
class History {
 public:
  explicit History(World& world) : w_(world) {}

  void run(uint64_t seed) {
    random_ = Random(seed);
    w_.begin();
    for (uint64_t key = 0; key < kKeys; ++key) set_up(key);
    const bool once_in_a_while = random_.chance(1, 2);
    Hook hook;
    hook.each = [&] {
      while (random_.chance(once_in_a_while ? 1 : 3, 4)) write();
    };
    states_ = {present_};
    Context context({}, 1, &hook);
    const uint64_t kind = random_.below(5);
    const uint64_t target = random_.below(kKeys + 1);
    const int64_t found = bound(context, kind, target);
    bool possible = false;
    for (const uint64_t state : states_)
      possible = possible || found == expected(state, kind, target);
    EXPECT_TRUE(possible) << "seed " << seed << " kind " << kind << " target " << target
                          << " found " << found;
    w_.engine.rollback(w_.engine.last(), w_.scheduler);
  }

 private:
  void set_up(uint64_t key) {
    Context context = on_worker(0);
    const uint64_t kind = random_.below(3);  // not in the index, in it and absent, or present
    if (kind > 0) w_.map.put(context, key_of(key), "");
    if (kind == 1) w_.map.erase(context, key_of(key));
    present_ = (present_ & ~(uint64_t{1} << key)) | (uint64_t{kind == 2} << key);
  }
  void write() {
    Context context = on_worker(0);
    const uint64_t key = random_.below(kKeys);
    if (random_.chance(1, 2)) {
      w_.map.put(context, key_of(key), "");
      present_ |= uint64_t{1} << key;
    } else {
      w_.map.erase(context, key_of(key));
      present_ &= ~(uint64_t{1} << key);
    }
    states_.push_back(present_);
  }
  int64_t bound(Context& context, uint64_t kind, uint64_t target) const {
    const Bytes key = key_of(target);
    const std::optional<OrderedByteMap::Entry> found = kind == 0 ? w_.map.lower_bound(context, key)
                                                       : kind == 1
                                                           ? w_.map.upper_bound(context, key)
                                                       : kind == 2 ? w_.map.before(context, key)
                                                       : kind == 3 ? w_.map.first(context)
                                                                   : w_.map.last(context);
    return found ? static_cast<int64_t>(number_of(*found)) : -1;
  }
  static int64_t expected(uint64_t state, uint64_t kind, uint64_t target) {
    const auto has = [&](uint64_t key) { return (state >> key & 1) != 0; };
    if (kind == 2 || kind == 4) {
      for (uint64_t key = kind == 2 ? target : kKeys; key-- > 0;) {
        if (has(key)) return static_cast<int64_t>(key);
      }
      return -1;
    }
    for (uint64_t key = kind == 3 ? 0 : target + kind; key < kKeys; ++key) {
      if (has(key)) return static_cast<int64_t>(key);
    }
    return -1;
  }

  World& w_;
  Random random_{0};
  uint64_t present_ = 0;
  std::vector<uint64_t> states_;  // bits of present keys, at each instant since the bound began
};

TEST(Ordered, BoundsAreLinearizableWhateverHappensBetweenTheirSteps) {
  World w;
  for (uint64_t seed = 1; seed <= 50'000 && !::testing::Test::HasFailure(); ++seed) {
    History(w).run(seed);
  }
}

/// Moves a token among keys from 500 on, so that it is at one of them, or two, at each instant.
void move_token(OrderedByteMap& map, Context& context) {
  constexpr uint64_t kPlaces = 32;
  Random random(1);
  uint64_t at = 500;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t to = 500 + random.below(kPlaces);
    if (to == at) continue;
    map.put(context, key_of(to), "");
    map.erase(context, key_of(at));
    at = to;
  }
}

// No bound may miss the token, though it is hardly ever at the place that is looked at.
TEST(Ordered, BoundsNeverMissATokenThatMoves) {
  World w;
  ThreadScheduler scheduler(3);
  w.begin();
  Context owner = on_worker(0);
  for (const uint64_t key : {0, 500, 1000}) w.map.put(owner, key_of(key), "");
  std::atomic<bool> moving{true};
  scheduler.run(3, 1000, [&](size_t worker, size_t index) {
    Hook hook;
    Context quiet = on_worker(worker);
    Context disturbed({}, worker, &hook);
    if (index == 0) {
      move_token(w.map, quiet);
      moving = false;
      return;
    }
    // One of them is disturbed all the time, so that it comes to the last resort.
    hook.each = [&] {
      if (hook.steps % 8 != 0) return;
      for (const uint64_t key : {400, 600}) {
        w.map.put(quiet, key_of(key), "");
        w.map.erase(quiet, key_of(key));
      }
    };
    Context& context = index == 1 ? disturbed : quiet;
    while (moving) {
      const auto up = w.map.upper_bound(context, key_of(0));
      EXPECT_TRUE(up && number_of(*up) < 1000);
      const auto down = w.map.before(context, key_of(1000));
      EXPECT_TRUE(down && number_of(*down) > 0);
    }
  });
  w.seal();
  EXPECT_EQ(w.engine.counts().objects, 3u);
}

/// Others come and go between keys that stay.
void disturb(World& w, Context& context, Random& random) {
  for (int i = 0; i < 2500; ++i) {
    const uint64_t key = random.below(400);
    if (key % 10 == 0) {
      w.map.put(context, key_of(key), Bytes(random.below(9), 'v'));
    } else if (random.chance(1, 2)) {
      w.map.put(context, key_of(key), "");
    } else {
      w.map.erase(context, key_of(key));
    }
  }
}

void check_steady_keys(World& w, Context& context, Random& random) {
  for (int i = 0; i < 200; ++i) {
    const uint64_t key = random.below(391);
    const auto above = w.map.lower_bound(context, key_of(key));
    ASSERT_TRUE(above && number_of(*above) >= key && number_of(*above) <= (key + 9) / 10 * 10);
    const auto below = w.map.before(context, key_of(key + 1));
    ASSERT_TRUE(below && number_of(*below) <= key && number_of(*below) >= key / 10 * 10);
    if (i % 10 != 0) continue;
    uint64_t next = key;
    w.map.range(context, key_of(key), std::nullopt, [&](const OrderedByteMap::Entry& entry) {
      EXPECT_GE(number_of(entry), next);
      EXPECT_LE(number_of(entry), (next + 9) / 10 * 10);
      next = number_of(entry) + 1;
      return next < key + 60;
    });
    uint64_t end = key + 1;
    w.map.range_down(context, std::nullopt, key_of(end), [&](const OrderedByteMap::Entry& entry) {
      EXPECT_LT(number_of(entry), end);
      EXPECT_GE(number_of(entry), (end - 1) / 10 * 10);
      end = number_of(entry);
      return end + 60 > key;
    });
  }
}

TEST(Ordered, KeysThatStayAreNeverSkipped) {
  World w;
  ThreadScheduler scheduler(8);
  Context owner = on_worker(0);
  for (int batch = 0; batch < 4; ++batch) {
    w.begin();
    for (uint64_t key = 0; key <= 400; key += 10) w.map.put(owner, key_of(key), "");
    scheduler.run(8, 1000, [&](size_t worker, size_t index) {
      Context context = on_worker(worker);
      Random random(static_cast<uint64_t>(batch) * 8 + index);
      if (index % 2 == 0) {
        disturb(w, context, random);
      } else {
        check_steady_keys(w, context, random);
      }
    });
    w.engine.seal(scheduler);
    if (batch == 2) w.engine.rollback(BatchNumber(1), scheduler);
  }
}

// Whoever has put a key, or seen one with get, finds it with a bound.
TEST(Ordered, WhatIsSeenByGetIsFoundByABound) {
  World w;
  ThreadScheduler scheduler(8);
  w.begin();
  scheduler.run(8, 1000, [&](size_t worker, size_t index) {
    Context context = on_worker(worker);
    for (uint64_t i = 0; i < 4000; ++i) {
      const Bytes key = key_of(index % 2 == 0 ? i : 3999 - i);
      w.map.put(context, key, "");
      const Bytes other = key_of(i * 7 % 4000);
      if (!w.map.get(context, other)) continue;
      const auto found = w.map.lower_bound(context, other);
      EXPECT_TRUE(found && found->key == other);
    }
  });
  w.seal();
  EXPECT_EQ(w.engine.counts().objects, 4000u);
}

}  // namespace
}  // namespace eve::state
