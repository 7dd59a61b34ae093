#include "state/engine.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::Model;
using testing::read_version;
using testing::sha256;

TEST(Engine, EmptyStateHasARoot) {
  Fixture f;
  EXPECT_EQ(f.engine.root(), Model().root(sha256()));
  EXPECT_EQ(f.engine.root_at(BatchNumber(0)), f.engine.root());
  EXPECT_EQ(f.engine.root_at(BatchNumber(1)), std::nullopt);
  f.begin();
  EXPECT_EQ(f.seal(), f.engine.root_at(BatchNumber(0)));
}

TEST(Engine, TablesAreFoundByName) {
  Fixture f;
  EXPECT_EQ(&f.engine.table("a"), &f.engine.table("a"));
  EXPECT_NE(&f.engine.table("a"), &f.engine.table("b"));
}

TEST(Engine, RootBindsTableKeyAndValue) {
  std::vector<crypto::Digest> roots;
  const auto root_of = [](uint16_t table, ByteView key, ByteView value) {
    Fixture f;
    f.begin();
    f.put(table, key, value);
    return f.seal();
  };
  const crypto::Digest root = root_of(0, "k", "v");
  EXPECT_EQ(root, root_of(0, "k", "v"));
  EXPECT_NE(root, root_of(1, "k", "v"));
  EXPECT_NE(root, root_of(0, "kv", ""));
  EXPECT_NE(root, root_of(0, "k", "w"));
}

// DESIGN 5.3: freed slots first, in order; then new ones; what came and went leaves no trace.
TEST(Engine, SlotsFollowTheRule) {
  Fixture f;
  f.begin();
  for (const char* key : {"d", "b", "a", "c"}) f.put(0, key, key);
  f.put(1, "z", "");
  f.seal();
  EXPECT_EQ(f.engine.counts().slots, 5u);
  const auto key_at = [&](uint64_t slot) {
    const auto payload = f.engine.node(f.engine.last(), {0, slot});
    return payload ? Bytes(decode_leaf(*payload)->key) : Bytes("-");
  };
  EXPECT_EQ(key_at(0) + key_at(1) + key_at(2) + key_at(3) + key_at(4), "abcdz");

  f.begin();
  f.erase(0, "c");
  f.erase(0, "a");
  f.erase(0, "b");
  f.put(0, "b", "again");  // the same object: keeps its slot
  f.put(1, "y", "");
  f.put(0, "x", "");
  f.put(0, "ghost", "");
  f.erase(0, "ghost");
  f.seal();
  EXPECT_EQ(key_at(0) + key_at(1) + key_at(2) + key_at(3) + key_at(4), "xbydz");
  EXPECT_EQ(f.engine.counts().slots, 5u);
  EXPECT_EQ(f.engine.counts().objects, 5u);
}

TEST(Engine, MarkIsUndone) {
  Fixture f;
  f.begin();
  f.put(0, "kept", "1");
  f.put(0, "gone", "1");
  f.seal();
  f.begin();
  f.put(0, "kept", "2");
  f.engine.mark();
  f.put(0, "kept", "3");
  f.put(0, "kept", "4");
  f.erase(0, "gone");
  f.put(0, "new", "1");
  f.erase(0, "new");
  f.put(0, "new", "2");
  f.engine.undo_to_mark();
  EXPECT_EQ(f.get(0, "kept"), "2");
  EXPECT_EQ(f.get(0, "gone"), "1");
  EXPECT_EQ(f.get(0, "new"), std::nullopt);
  EXPECT_EQ(f.size(0), 2u);
  f.put(0, "kept", "5");
  f.engine.undo_to_mark();
  EXPECT_EQ(f.get(0, "kept"), "2");
  f.seal();
  EXPECT_EQ(f.engine.root(), f.engine.recompute_root());
  EXPECT_EQ(f.engine.counts().objects, 2u);
  f.rollback(1);
  EXPECT_EQ(f.get(0, "kept"), "1");
}

TEST(Engine, RollbackDropsTheOpenBatchToo) {
  Fixture f;
  f.begin();
  f.put(0, "a", "1");
  const auto root = f.seal();
  f.begin();
  f.put(0, "a", "2");
  f.put(0, "b", "2");
  f.engine.mark();
  f.put(0, "a", "3");
  f.rollback(1);
  EXPECT_EQ(f.engine.root(), root);
  EXPECT_EQ(f.get(0, "a"), "1");
  EXPECT_EQ(f.get(0, "b"), std::nullopt);
  EXPECT_EQ(f.size(0), 1u);
  f.begin();
  f.put(0, "a", "2");
  f.seal();
  f.rollback(0);
  EXPECT_EQ(f.engine.counts().slots, 0u);
  EXPECT_EQ(f.engine.last(), BatchNumber(0));
}

TEST(Engine, HistoryIsBounded) {
  Fixture f;
  for (uint64_t n = 1; n <= limits::kHistoryBatches + 10; ++n) {
    f.begin();
    f.put(0, "counter", std::to_string(n));
    f.seal();
    f.commit(n);
  }
  EXPECT_EQ(f.engine.oldest(), BatchNumber(10));
  EXPECT_EQ(f.engine.counts().history_batches, limits::kHistoryBatches);
  EXPECT_EQ(f.engine.root_at(BatchNumber(9)), std::nullopt);
  EXPECT_EQ(f.engine.node(BatchNumber(9), {0, 0}), std::nullopt);
  const auto old = read_version(f.engine, BatchNumber(10), sha256());
  ASSERT_TRUE(old);
  EXPECT_EQ(old->at({0, "counter"}), "10");
}

TEST(Engine, UncommittedBatchesAreNotHistory) {
  Fixture f;
  for (uint64_t n = 1; n <= limits::kHistoryBatches + 10; ++n) {
    f.begin();
    f.put(0, "counter", std::to_string(n));
    f.seal();
  }
  f.commit(1);
  EXPECT_EQ(f.engine.oldest(), BatchNumber(0));
  f.rollback(1);
  EXPECT_EQ(f.get(0, "counter"), "1");
}

TEST(Engine, MemoryOfDeletedObjectsComesBack) {
  Fixture f;
  f.begin();
  f.seal();
  for (uint64_t n = 2; n <= 300; ++n) {
    f.begin();
    for (int i = 0; i < 10; ++i) {
      f.put(0, std::to_string(n * 10 + i), Bytes(1000, 'x'));
      f.erase(0, std::to_string((n - 1) * 10 + i));
    }
    f.seal();
    f.commit(n);
  }
  EXPECT_EQ(f.engine.counts().objects, 10u);
  EXPECT_EQ(f.engine.counts().slots, 10u);
  // Ten present, ten for each batch of history, and the fixed size of the tables.
  EXPECT_LT(f.engine.counts().bytes, (limits::kHistoryBatches + 2) * 10 * 1400 + 100'000);
}

TEST(Engine, ServesNothingThatIsNotThere) {
  Fixture f;
  EXPECT_EQ(f.engine.node(BatchNumber(0), {0, 0}), std::nullopt);
  f.begin();
  for (int i = 0; i < 40; ++i) f.put(0, std::to_string(i), "");
  f.seal();
  const BatchNumber last = f.engine.last();
  EXPECT_TRUE(f.engine.node(last, {2, 0}));
  EXPECT_FALSE(f.engine.node(last, {3, 0}));
  EXPECT_FALSE(f.engine.node(last, {1, 3}));
  EXPECT_FALSE(f.engine.node(last, {0, 40}));
  EXPECT_FALSE(f.engine.node(last, {0, ~uint64_t{0}}));
  EXPECT_FALSE(f.engine.node(last, {TreeNode::kRootLevel, 1}));
  EXPECT_FALSE(f.engine.node(last.next(), {TreeNode::kRootLevel, 0}));
}

}  // namespace
}  // namespace eve::state
