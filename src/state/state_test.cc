#include "eve/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "eve/graph.h"
#include "eve/ordered.h"
#include "state/object.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::on_worker;

/// All keys by scanning, `step` entries a call.
std::vector<std::string> scan_all(Fixture& f, size_t step) {
  Context context = on_worker(0);
  std::vector<std::string> keys;
  std::optional<uint64_t> from = 0;
  while (from) {
    size_t seen = 0;
    from = f.a.scan(context, *from, [&](const ByteMap::Entry& entry) {
      keys.emplace_back(entry.key);
      return ++seen < step;
    });
  }
  return keys;
}

TEST(ByteMap, ScanIsOrderedByHashWhateverTheHistory) {
  Fixture grown;
  Fixture compact;
  grown.begin();
  compact.begin();
  for (int i = 0; i < 3000; ++i) grown.put(0, std::to_string(i), "x");
  for (int i = 100; i < 3000; ++i) grown.erase(0, std::to_string(i));
  for (int i = 99; i >= 0; --i) compact.put(0, std::to_string(i), "x");
  for (const size_t step : {1u, 7u, 1000u}) {
    const auto keys = scan_all(grown, step);
    EXPECT_EQ(keys.size(), 100u);
    EXPECT_EQ(keys, scan_all(compact, step));
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
      return grown.a.hash_of(a) < grown.a.hash_of(b);
    }));
  }
}

// What a visit adds further on is visited, whether or not buckets split meanwhile.
TEST(ByteMap, ScanSeesItsOwnInsertionsAlike) {
  const auto visited = [](int ghosts) {
    Fixture f;
    f.begin();
    for (int i = 0; i < ghosts; ++i) f.put(0, "ghost" + std::to_string(i), "");
    for (int i = 0; i < ghosts; ++i) f.erase(0, "ghost" + std::to_string(i));
    for (int i = 0; i < 50; ++i) f.put(0, std::to_string(i), "");
    Context context = on_worker(0);
    std::vector<std::string> keys;
    f.a.scan(context, 0, [&](const ByteMap::Entry& entry) {
      keys.emplace_back(entry.key);
      if (keys.size() < 400) {
        for (int i = 0; i < 3; ++i) f.put(0, keys.back() + "/" + std::to_string(i), "");
      }
      return true;
    });
    return keys;
  };
  EXPECT_EQ(visited(0), visited(5000));
}

TEST(ByteMap, ViewsOutliveOverwriting) {
  Fixture f;
  f.begin();
  Context context = on_worker(0);
  f.a.put(context, "k", "first");
  const ByteView first = *f.a.get(context, "k");
  f.a.put(context, "k", "second");
  const ByteView second = *f.a.get(context, "k");
  EXPECT_TRUE(f.a.erase(context, "k"));
  EXPECT_FALSE(f.a.erase(context, "k"));
  EXPECT_EQ(first, "first");
  EXPECT_EQ(second, "second");
  EXPECT_EQ(f.a.get(context, "k"), std::nullopt);
  f.seal();
}

TEST(ByteMap, HookIsCalledBeforeEveryOperation) {
  struct Counting final : AccessHook {
    void on_access() override { ++calls; }
    int calls = 0;
  } hook;
  Fixture f;
  Context context({}, 0, &hook);
  f.begin();
  f.a.put(context, "k", "v");
  f.a.get(context, "k");
  f.a.size(context);
  f.a.erase(context, "k");
  EXPECT_EQ(hook.calls, 4);
  f.a.scan(context, 0, [](const ByteMap::Entry&) { return true; });
  EXPECT_GE(hook.calls, 5);
}

TEST(ByteMap, KeysAndValuesAreAnyBytes) {
  Fixture f;
  f.begin();
  const std::string zeros(3, '\0');
  f.put(0, "", "empty");
  f.put(0, zeros, zeros);
  f.put(0, Bytes(kMaxKeyBytes, 'k'), "");
  EXPECT_EQ(f.get(0, ""), "empty");
  EXPECT_EQ(f.get(0, zeros), zeros);
  EXPECT_EQ(f.get(0, Bytes(kMaxKeyBytes, 'k')), "");
  const auto root = f.seal();
  EXPECT_EQ(root, f.engine.recompute_root());
}

TEST(TypedContainers, KeepValues) {
  Fixture f;
  Map<uint32_t, std::string> map(f.state, "typed");
  Cell<int64_t> cell(f.state, "cell", -5);
  Context context = on_worker(0);
  f.begin();
  EXPECT_EQ(cell.get(context), -5);
  cell.set(context, 17);
  map.put(context, 4, "four");
  EXPECT_EQ(cell.get(context), 17);
  EXPECT_EQ(map.get(context, 4), "four");
  EXPECT_EQ(map.get(context, 5), std::nullopt);
  EXPECT_EQ(map.size(context), 1u);
  EXPECT_TRUE(map.erase(context, 4));
  f.seal();
}

TEST(Context, RandomIsAFunctionOfSeedAndIndex) {
  const auto stream = [](uint64_t seed, uint32_t index) {
    Context context({1, index, 0, seed}, 0, nullptr);
    return std::vector<uint64_t>{context.random(), context.random(), context.random()};
  };
  EXPECT_EQ(stream(1, 2), stream(1, 2));
  std::set<uint64_t> all;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint32_t index = 0; index < 20; ++index) {
      for (const uint64_t value : stream(seed, index)) all.insert(value);
    }
  }
  EXPECT_EQ(all.size(), 1200u);
}

TEST(Limits, WhatIsTooLargeThrowsAndDoesNothing) {
  Fixture f;
  OrderedByteMap ordered(f.state, "ordered");
  Graph graph(f.state);
  f.begin();
  Context context = on_worker(0);
  f.put(0, "a", "x");
  const std::string long_key(ByteMap::kMaxKeyBytes + 1, 'k');
  const std::string long_value(ByteMap::kMaxValueBytes + 1, 'v');
  EXPECT_THROW(f.a.put(context, long_key, "x"), std::length_error);
  EXPECT_THROW(f.a.put(context, "a", long_value), std::length_error);
  EXPECT_THROW(ordered.put(context, long_key, "x"), std::length_error);
  EXPECT_THROW(graph.create(context, long_value), std::length_error);
  try {
    ordered.put(context, long_key, "x");
  } catch (const std::length_error& thrown) {
    EXPECT_STREQ(thrown.what(), "container \"ordered\": a key of 65537 bytes; the most is 65536");
  }
  EXPECT_EQ(f.get(0, "a"), "x");
  EXPECT_EQ(f.size(0), 1u);
  EXPECT_FALSE(f.a.get(context, long_key));
  EXPECT_FALSE(f.a.erase(context, long_key));
  f.a.put(context, std::string(ByteMap::kMaxKeyBytes, 'k'), "longest");
  f.seal();
  EXPECT_EQ(f.engine.root(), f.engine.recompute_root());
}

TEST(Names, AreTheServicesOwnAndOfOneKind) {
  Fixture f;
  EXPECT_THROW(ByteMap(f.state, "eve.sessions"), std::invalid_argument);
  EXPECT_THROW(OrderedByteMap(f.state, "a"), std::invalid_argument);
  State own(f.engine, State::User::kEve);
  EXPECT_NO_THROW(ByteMap(own, "eve.sessions"));
}

}  // namespace
}  // namespace eve::state
