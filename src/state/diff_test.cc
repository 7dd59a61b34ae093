#include "state/diff.h"

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
    const std::string key = std::to_string(random.below(keys));
    if (random.chance(1, 3)) {
      f.erase(0, key);
    } else {
      f.put(0, key, std::to_string(random.next()));
    }
  }
  f.seal();
}

/// What diff() has to find, leaf by leaf.
std::vector<LeafDifference> slowly(const VersionView& a, const VersionView& b) {
  std::vector<LeafDifference> result;
  for (uint64_t slot = 0; slot < std::max(*a.slots(), *b.slots()); ++slot) {
    const auto before = a.digest({0, slot}).value_or(crypto::Digest());
    const auto after = b.digest({0, slot}).value_or(crypto::Digest());
    if (before != after) result.push_back({slot, before, after});
  }
  return result;
}

void expect_equal(const std::vector<LeafDifference>& x, const std::vector<LeafDifference>& y) {
  ASSERT_EQ(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i].slot, y[i].slot);
    EXPECT_EQ(x[i].before, y[i].before);
    EXPECT_EQ(x[i].after, y[i].after);
  }
}

std::vector<LeafDifference> collect(const VersionView& a, const VersionView& b) {
  std::vector<LeafDifference> result;
  EXPECT_TRUE(diff(a, b, [&](const LeafDifference& leaf) { result.push_back(leaf); }));
  return result;
}

TEST(Diff, FindsWhatDiffersBetweenAnyTwoVersions) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture f;
    for (int i = 0; i < 8; ++i) {
      write_randomly(f, random, random.below(200), 1 + random.below(600));
    }
    for (uint64_t i = 0; i <= 8; ++i) {
      for (uint64_t j = 0; j <= 8; ++j) {
        const VersionView a = f.engine.view(BatchNumber(i));
        const VersionView b = f.engine.view(BatchNumber(j));
        expect_equal(collect(a, b), slowly(a, b));
      }
    }
  }
}

TEST(Diff, ComparesTwoEngines) {
  Random random(1);
  Fixture x(testing::digester(crypto::DigestAlgorithm::kXxh3));
  Fixture y(testing::digester(crypto::DigestAlgorithm::kXxh3));
  for (Fixture* f : {&x, &y}) {
    Random same(7);
    write_randomly(*f, same, 3000, 2000);
  }
  const VersionView a = x.engine.view(BatchNumber(1));
  EXPECT_TRUE(collect(a, y.engine.view(BatchNumber(1))).empty());
  write_randomly(y, random, 20, 5000);
  const VersionView b = y.engine.view(BatchNumber(2));
  EXPECT_FALSE(slowly(a, b).empty());
  expect_equal(collect(a, b), slowly(a, b));
  expect_equal(collect(b, a), slowly(b, a));
}

TEST(Diff, CostsWhatDiffersTimesTheHeight) {
  Fixture f(testing::digester(crypto::DigestAlgorithm::kXxh3));
  f.begin();
  for (int i = 0; i < 20'000; ++i) f.put(0, std::to_string(i), "x");
  f.seal();
  const uint64_t height = top_level(*f.engine.view(BatchNumber(1)).slots());
  for (const uint64_t changes : {0u, 1u, 5u, 40u}) {
    f.begin();
    for (uint64_t i = 0; i < changes; ++i) {
      f.put(0, std::to_string(i * 37), std::to_string(f.engine.last().value()));
    }
    f.seal();
    const BatchNumber n = f.engine.last();
    uint64_t found = 0;
    const auto read =
        diff(f.engine.view(n.prev()), f.engine.view(n), [&](const LeafDifference&) { ++found; });
    EXPECT_EQ(found, changes);
    EXPECT_LE(*read, changes * height + 1);  // inner nodes, and the root record
    EXPECT_GE(*read, changes > 0 ? height : 0);
  }
}

TEST(Diff, SaysThatAVersionIsGone) {
  Fixture f;
  Random random(1);
  write_randomly(f, random, 10, 10);
  const auto visit = [](const LeafDifference&) { ADD_FAILURE(); };
  EXPECT_FALSE(diff(f.engine.view(BatchNumber(1)), f.engine.view(BatchNumber(2)), visit));
  write_randomly(f, random, 10, 10);
  const VersionView gone = f.engine.view(BatchNumber(2));
  EXPECT_TRUE(diff(gone, gone, visit));
  Diff walk(gone, f.engine.root());
  f.rollback(1);
  EXPECT_FALSE(diff(f.engine.view(BatchNumber(1)), gone, visit));
  ASSERT_TRUE(walk.complete());
  EXPECT_FALSE(walk.differences());
}

TEST(Diff, WalksATreeWhoseSourceLiesAndForgets) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    Fixture local;
    Fixture remote;
    for (Fixture* f : {&local, &remote}) {
      Random same(seed);
      write_randomly(*f, same, 700, 600);
    }
    write_randomly(remote, random, 300, 900);
    const VersionView source = remote.engine.view(BatchNumber(2));
    Diff walk(local.engine.view(BatchNumber(1)), *source.root());
    while (!walk.complete()) {
      const auto wants = walk.wants(1 + random.below(5));
      ASSERT_FALSE(wants.empty());
      for (const TreeNode id : wants) {
        ASSERT_NE(id.level, 0) << "a leaf was asked for";
        Bytes payload = *source.node(id);
        if (random.chance(1, 4)) {
          walk.again(id);
        } else if (random.chance(1, 4)) {
          payload[random.below(payload.size())] ^= 4;
          EXPECT_FALSE(walk.supply(id, payload));
        } else {
          EXPECT_TRUE(walk.supply(id, payload));
        }
      }
    }
    expect_equal(*walk.differences(), slowly(local.engine.view(BatchNumber(1)), source));
  }
}

}  // namespace
}  // namespace eve::state
