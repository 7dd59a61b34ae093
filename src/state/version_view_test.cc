#include "state/version_view.h"

#include <gtest/gtest.h>

#include "state/table.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::Model;
using testing::read_version;
using testing::sha256;

using Values = std::map<Model::Name, std::string>;

Bytes key_of(uint64_t i) {
  return "key" + std::to_string(i);
}

void write_randomly(Fixture& f, Random& random, Values& values, uint64_t keys) {
  f.begin();
  for (uint64_t i = random.below(60); i > 0; --i) {
    const auto table = static_cast<uint16_t>(random.below(2));
    const Bytes key = key_of(random.below(keys));
    if (random.chance(1, 2)) {
      f.erase(table, key);
      values.erase({table, key});
    } else {
      const std::string value = std::to_string(random.next());
      f.put(table, key, value);
      values[{table, key}] = value;
    }
  }
  f.seal();
}

/// Every key that was ever written, and one that never was.
void expect_view(Fixture& f, const VersionView& view, const Values& values, uint64_t keys) {
  ASSERT_TRUE(view.exists());
  for (uint16_t number = 0; number < 2; ++number) {
    const Table& table = f.engine.table(number == 0 ? "a" : "b");
    for (uint64_t i = 0; i <= keys; ++i) {
      const auto found = view.get(table, key_of(i));
      const auto expected = values.find({number, key_of(i)});
      ASSERT_EQ(found.has_value(), expected != values.end()) << view.number().value() << " " << i;
      if (found) {
        ASSERT_EQ(*found, expected->second);
      }
    }
  }
}

TEST(VersionView, GivesEveryKeyAsOfEveryVersionInTheWindow) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture f;
    const uint64_t keys = 5 + random.below(60);
    std::vector<Values> versions{{}};
    for (int step = 0; step < 40; ++step) {
      if (random.chance(1, 6)) {
        const uint64_t committed = f.engine.committed().value();
        const uint64_t n = committed + random.below(f.engine.last().value() - committed + 1);
        f.rollback(n);
        versions.resize(n + 1);
      } else {
        versions.push_back(versions.back());
        write_randomly(f, random, versions.back(), keys);
      }
      if (random.chance(1, 4)) f.commit(f.engine.last().value());
    }
    for (uint64_t n = f.engine.oldest().value(); n <= f.engine.last().value(); ++n) {
      const VersionView view = f.engine.view(BatchNumber(n));
      expect_view(f, view, versions[n], keys);
      EXPECT_EQ(read_version(f.engine, BatchNumber(n), sha256()), versions[n]);
    }
  }
}

TEST(VersionView, NodesHashToTheirDigests) {
  Random random(5);
  Fixture f;
  Values values;
  for (int i = 0; i < 10; ++i) write_randomly(f, random, values, 400);
  for (uint64_t n = 0; n <= 10; ++n) {
    const VersionView view = f.engine.view(BatchNumber(n));
    const uint64_t slots = *view.slots();
    const TreeNode record{TreeNode::kRootLevel, 0};
    EXPECT_EQ(sha256().digest(*view.node(record)), view.root());
    EXPECT_EQ(view.digest(record), view.root());
    for (uint8_t level = 0; slots > 0 && level <= top_level(slots); ++level) {
      for (uint64_t i = 0; i < level_size(slots, level); ++i) {
        const auto payload = view.node({level, i});
        EXPECT_EQ(payload ? sha256().digest(*payload) : crypto::Digest(), view.digest({level, i}));
      }
      EXPECT_FALSE(view.digest({level, level_size(slots, level)}));
      EXPECT_FALSE(view.node({level, level_size(slots, level)}));
    }
    EXPECT_FALSE(view.payload(slots));
  }
}

void expect_gone(Fixture& f, const VersionView& view) {
  EXPECT_FALSE(view.exists());
  EXPECT_FALSE(view.root());
  EXPECT_FALSE(view.slots());
  EXPECT_FALSE(view.digest({0, 0}));
  EXPECT_FALSE(view.digest({TreeNode::kRootLevel, 0}));
  EXPECT_FALSE(view.node({TreeNode::kRootLevel, 0}));
  EXPECT_FALSE(view.payload(0));
  EXPECT_FALSE(view.get(f.engine.table("a"), "k"));
}

void put_batch(Fixture& f, ByteView value) {
  f.begin();
  f.put(0, "k", value);
  f.seal();
}

TEST(VersionView, AnswersNothingOnceItsVersionIsGone) {
  Fixture f;
  expect_gone(f, f.engine.view(BatchNumber(1)));
  put_batch(f, "1");
  put_batch(f, "2");
  const VersionView first = f.engine.view(BatchNumber(1));
  const VersionView second = f.engine.view(BatchNumber(2));
  EXPECT_EQ(first.get(f.engine.table("a"), "k"), "1");
  EXPECT_EQ(second.get(f.engine.table("a"), "k"), "2");

  f.rollback(1);
  expect_gone(f, second);
  put_batch(f, "other");
  expect_gone(f, second);  // another batch of that number
  f.rollback(1);
  put_batch(f, "2");
  EXPECT_TRUE(second.exists());  // the same state again

  for (uint64_t i = 0; i < limits::kHistoryBatches; ++i) put_batch(f, std::to_string(i));
  f.commit(f.engine.last().value());
  expect_gone(f, first);
  EXPECT_EQ(second.get(f.engine.table("a"), "k"), "2");
}

TEST(VersionView, FindsAKeyThatCameWentAndCameBackInAnotherSlot) {
  Fixture f;
  put_batch(f, "1");  // slot 0
  f.begin();
  f.erase(0, "k");
  f.put(0, "a", "takes slot 0");
  f.seal();
  put_batch(f, "3");  // slot 1
  f.begin();
  f.erase(0, "k");
  f.seal();
  const std::vector<std::optional<ByteView>> expected{std::nullopt, "1", std::nullopt, "3",
                                                      std::nullopt};
  for (uint64_t n = 0; n < expected.size(); ++n) {
    EXPECT_EQ(f.engine.view(BatchNumber(n)).get(f.engine.table("a"), "k"), expected[n]) << n;
  }
}

TEST(VersionViewDeathTest, LeavesAreNotReadWithinABatch) {
  Fixture f;
  put_batch(f, "1");
  const VersionView view = f.engine.view(BatchNumber(1));
  f.begin();
  EXPECT_DEATH(view.payload(0), "between batches");
  EXPECT_DEATH(view.get(f.engine.table("a"), "k"), "between batches");
  f.seal();
}

}  // namespace
}  // namespace eve::state
