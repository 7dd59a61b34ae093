#include <gtest/gtest.h>

#include <algorithm>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;

void write_randomly(Fixture& f, Random& random, uint64_t writes, uint64_t keys) {
  f.begin();
  for (uint64_t i = 0; i < writes; ++i) {
    const auto table = static_cast<uint16_t>(random.below(2));
    const std::string key = std::to_string(random.below(keys));
    if (random.chance(2, 5)) {
      f.erase(table, key);
    } else {
      f.put(table, key, std::to_string(random.next()));
    }
  }
  f.seal();
}

/// What a lying source makes of a payload.
Bytes corrupt(Bytes payload, Random& random) {
  switch (random.below(4)) {
    case 0:
      return {};
    case 1:
      return payload + "x";
    case 2:
      payload[random.below(payload.size())] ^= 1;
      return payload;
    default:
      payload.pop_back();
      return payload;
  }
}

/// Carries up to `rounds` wants to `source`, version n; some answers get lost, some are lies.
/// Returns how many nodes were supplied.
size_t carry(Fetch& fetch, const Fixture& source, BatchNumber n, Random& random, bool honest,
             size_t rounds = 100'000) {
  size_t supplied = 0;
  while (!fetch.complete() && rounds-- > 0) {
    const auto wants = fetch.wants(1 + random.below(30));
    EXPECT_FALSE(wants.empty());
    for (const TreeNode id : wants) {
      const auto payload = source.engine.node(n, id);
      if (!payload) {
        ADD_FAILURE() << "asked for a node that is not there";
        return supplied;
      }
      if (!honest && random.chance(1, 4)) {
        fetch.again(id);
      } else if (!honest && random.chance(1, 4)) {
        EXPECT_FALSE(fetch.supply(id, corrupt(*payload, random)));
      } else {
        EXPECT_TRUE(fetch.supply(id, *payload));
        ++supplied;
      }
    }
  }
  return supplied;
}

void expect_same(Fixture& x, Fixture& y) {
  EXPECT_EQ(x.engine.root(), y.engine.root());
  EXPECT_EQ(x.engine.recompute_root(), x.engine.root());
  EXPECT_EQ(x.engine.counts().objects, y.engine.counts().objects);
  EXPECT_EQ(x.engine.counts().slots, y.engine.counts().slots);
}

TEST(Fetch, BringsAnEngineFromAnyStateToAnother) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture source;
    Fixture target;
    const uint64_t keys = 1 + random.below(400);
    for (uint64_t i = random.below(4); i > 0; --i) {
      // Some common past, some not.
      Random same(seed + 1000 * i);
      Random same_again(seed + 1000 * i);
      write_randomly(source, same, 100, keys);
      write_randomly(target, same_again, 100, keys);
    }
    for (uint64_t i = random.below(4); i > 0; --i) write_randomly(target, random, 300, keys);
    for (uint64_t i = random.below(4); i > 0; --i) write_randomly(source, random, 300, keys);
    Fetch fetch(target.engine, source.engine.root());
    carry(fetch, source, source.engine.last(), random, random.chance(1, 2));
    const BatchNumber n(100);
    ASSERT_TRUE(fetch.install(n, target.scheduler).ok());
    expect_same(target, source);
    EXPECT_EQ(target.engine.last(), n);
    EXPECT_EQ(target.engine.committed(), n);
    EXPECT_EQ(target.engine.oldest(), n);

    // Slots, the free ones too, go on alike.
    Random same(seed);
    Random same_again(seed);
    write_randomly(source, same, 200, keys);
    write_randomly(target, same_again, 200, keys);
    expect_same(target, source);
    target.rollback(100);
    EXPECT_EQ(target.engine.recompute_root(), target.engine.root());
  }
}

TEST(Fetch, AsksOnlyForWhatDiffers) {
  Random random(1);
  Fixture source;
  Fixture target;
  for (Fixture* f : {&source, &target}) {
    f->begin();
    for (int i = 0; i < 5000; ++i) f->put(0, std::to_string(i), "x");
    f->seal();
  }
  source.begin();
  source.put(0, "77", "y");
  source.seal();
  Fetch fetch(target.engine, source.engine.root());
  // The root record, one node a level, one leaf.
  EXPECT_EQ(carry(fetch, source, source.engine.last(), random, true), 6u);
  ASSERT_TRUE(fetch.install(BatchNumber(2), target.scheduler).ok());
  expect_same(target, source);
}

TEST(Fetch, OfTheSameStateIsCompleteAtOnce) {
  Fixture f;
  f.begin();
  f.put(0, "k", "v");
  const auto root = f.seal();
  Fetch fetch(f.engine, root);
  EXPECT_TRUE(fetch.wants(10).empty());
  ASSERT_TRUE(fetch.complete());
  ASSERT_TRUE(fetch.install(BatchNumber(7), f.scheduler).ok());
  EXPECT_EQ(f.engine.root(), root);
  EXPECT_EQ(f.engine.last(), BatchNumber(7));
}

TEST(Fetch, KeepsWhatStillMatchesAfterRetarget) {
  Random random(3);
  Fixture source;
  source.begin();
  for (int i = 0; i < 3000; ++i) source.put(0, std::to_string(i), "x");
  const auto first = source.seal();
  source.begin();
  source.put(0, "5", "changed");
  source.erase(0, "6");
  const auto second = source.seal();

  Fixture target;
  Fetch fetch(target.engine, first);
  const size_t before = carry(fetch, source, BatchNumber(1), random, true, 100);
  ASSERT_GT(before, 300u);
  ASSERT_FALSE(fetch.complete());
  fetch.retarget(second);
  EXPECT_FALSE(fetch.complete());
  const size_t after = carry(fetch, source, BatchNumber(2), random, false);
  EXPECT_LT(before + after, 3000u * 17 / 16 + 20);
  ASSERT_TRUE(fetch.install(BatchNumber(2), target.scheduler).ok());
  expect_same(target, source);
}

TEST(Fetch, RefusesWhatWasNotAskedForAndAnswersTwice) {
  Fixture source;
  source.begin();
  source.put(0, "k", "v");
  const auto root = source.seal();
  const TreeNode record{TreeNode::kRootLevel, 0};
  const Bytes payload = *source.engine.node(source.engine.last(), record);

  Fixture target;
  Fetch fetch(target.engine, root);
  EXPECT_FALSE(fetch.supply({0, 0}, "leaf"));
  EXPECT_FALSE(fetch.supply({7, 1}, ""));
  fetch.again({0, 0});
  ASSERT_EQ(fetch.wants(10), std::vector<TreeNode>{record});
  EXPECT_TRUE(fetch.wants(10).empty());
  fetch.again(record);
  EXPECT_TRUE(fetch.supply(record, payload));  // late, but right
  EXPECT_TRUE(fetch.supply(record, payload));  // twice does no harm
  EXPECT_FALSE(fetch.supply(record, payload + "x"));
  EXPECT_EQ(fetch.wants(10), (std::vector<TreeNode>{{0, 0}}));
}

// Payloads that hash to what is asked for, below a root that no engine has: never a crash.
TEST(Fetch, RefusesCertifiedNonsense) {
  const TreeNode record{TreeNode::kRootLevel, 0};
  const auto refused = [&](const Bytes& payload) {
    Fixture target;
    Fetch fetch(target.engine, sha256().digest(payload));
    fetch.wants(1);
    return !fetch.supply(record, payload) && !fetch.complete();
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("nonsense"));
  EXPECT_TRUE(refused(encode_root({kMaxSlots + 1, {}}, 32)));

  Bytes leaf;
  encode_leaf({40'000, "k", "v"}, leaf);  // a table that is not there
  const RootRecord root{1, sha256().digest(leaf)};
  Fixture target;
  Fetch fetch(target.engine, sha256().digest(encode_root(root, 32)));
  fetch.wants(1);
  EXPECT_TRUE(fetch.supply(record, encode_root(root, 32)));
  EXPECT_EQ(fetch.wants(1).size(), 1u);
  EXPECT_FALSE(fetch.supply({0, 0}, leaf));
}

// One key in two slots: the leaves are authentic, but they are no state.
TEST(Fetch, InstallFailsAndLeavesTheStateAlone) {
  Bytes leaf;
  encode_leaf({0, "k", "v"}, leaf);
  const auto digest = sha256().digest(leaf);
  Bytes inner;
  encode_inner(Bytes(digest.view()) + Bytes(digest.view()), inner);
  const Bytes root = encode_root({2, sha256().digest(inner)}, 32);

  Fixture target;
  target.begin();
  target.put(0, "old", "1");
  target.put(1, "k", "2");
  target.put(1, "l", "2");
  const auto before = target.seal();
  Fetch fetch(target.engine, sha256().digest(root));
  fetch.wants(9);
  EXPECT_TRUE(fetch.supply({TreeNode::kRootLevel, 0}, root));
  fetch.wants(9);
  EXPECT_TRUE(fetch.supply({1, 0}, inner));
  fetch.wants(9);
  EXPECT_TRUE(fetch.supply({0, 0}, leaf));
  EXPECT_TRUE(fetch.supply({0, 1}, leaf));
  ASSERT_TRUE(fetch.complete());
  EXPECT_FALSE(fetch.install(BatchNumber(5), target.scheduler).ok());
  EXPECT_EQ(target.engine.root(), before);
  EXPECT_EQ(target.engine.recompute_root(), before);
  EXPECT_EQ(target.engine.last(), BatchNumber(1));
  EXPECT_EQ(target.get(0, "old"), "1");
  target.rollback(0);
  EXPECT_EQ(target.engine.counts().objects, 0u);
}

}  // namespace
}  // namespace eve::state
