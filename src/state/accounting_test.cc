// What the engine says it holds, against a count from scratch.
#include <gtest/gtest.h>

#include "state/engine.h"
#include "state/object.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::Model;

/// Objects of the newest version, read through the tree.
std::map<Model::Name, std::string> objects_of(const Engine& engine) {
  const auto objects = testing::read_version(engine, engine.last(), testing::sha256());
  EXPECT_TRUE(objects);
  return objects.value_or(std::map<Model::Name, std::string>());
}

void check_content(const Engine& engine) {
  const Engine::Use use = engine.use();
  std::vector<uint64_t> objects(use.tables.size());
  std::vector<uint64_t> bytes(use.tables.size());
  for (const auto& [name, value] : objects_of(engine)) {
    ++objects[name.first];
    bytes[name.first] += name.second.size() + value.size();
  }
  uint64_t all = 0;
  for (size_t i = 0; i < use.tables.size(); ++i) {
    ASSERT_EQ(use.tables[i].objects, objects[i]);
    ASSERT_EQ(use.tables[i].logical_bytes, bytes[i]);
    all += bytes[i];
  }
  ASSERT_EQ(engine.logical_bytes(), all);
  ASSERT_EQ(use.total(), engine.counts().bytes);
}

/// Memory of what is present; nothing else may be held.
void check_memory(Fixture& f) {
  const Fixture empty;
  const Engine::Use use = f.engine.use();
  std::vector<uint64_t> memory(use.tables.size());
  for (const auto& [name, value] : objects_of(f.engine)) {
    memory[name.first] += allocated(40 + name.second.size()) + allocated(12 + value.size());
  }
  for (size_t i = 0; i < use.tables.size(); ++i) {
    // The rest is the table itself: what an empty one has, and buckets, which come by fours.
    const uint64_t least = empty.engine.use().tables[i].memory_bytes;
    ASSERT_GE(use.tables[i].memory_bytes, memory[i] + least);
    const uint64_t buckets = use.tables[i].memory_bytes - memory[i] - least;
    ASSERT_EQ(buckets % (4 * sizeof(void*)), 0u);
    ASSERT_LT(buckets, 64 * 64 * sizeof(void*));
  }
}

void write_batch(Fixture& f, Random& random) {
  f.begin();
  const uint64_t writes = random.below(80);
  for (uint64_t i = 0; i < writes; ++i) {
    const auto table = static_cast<uint16_t>(random.below(2));
    const std::string key(1 + random.below(60), static_cast<char>('a' + random.below(4)));
    if (random.chance(1, 12)) f.engine.mark();
    if (random.chance(1, 3)) {
      f.erase(table, key, random.below(8));
    } else {
      f.put(table, key, Bytes(random.below(random.chance(1, 9) ? 6000 : 90), 'v'), random.below(8));
    }
    if (random.chance(1, 12)) f.engine.undo_to_mark();
  }
}

void fetch_into(Fixture& to, const Fixture& from, uint64_t number) {
  Fetch fetch(to.engine, from.engine.root());
  while (!fetch.complete()) {
    for (const TreeNode id : fetch.wants(100)) {
      ASSERT_TRUE(fetch.supply(id, *from.engine.node(from.engine.last(), id)));
    }
  }
  ASSERT_TRUE(fetch.install(BatchNumber(number), to.scheduler));
}

TEST(Accounting, IsThatOfACountFromScratch) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture f;
    for (int step = 0; step < 60; ++step) {
      const uint64_t committed = f.engine.committed().value();
      const uint64_t ahead = f.engine.last().value() - committed;
      const uint64_t before = f.engine.logical_bytes();
      write_batch(f, random);
      ASSERT_EQ(f.engine.logical_bytes(), before);  // the open batch does not count yet
      if (random.chance(1, 4)) {
        f.rollback(committed + random.below(ahead + 1));
      } else {
        f.seal();
      }
      check_content(f.engine);
      if (random.chance(1, 3)) f.commit(f.engine.last().value());
      if (HasFatalFailure()) return;
    }
    // Another replica, with other content and history, that fetches this state.
    Fixture other;
    for (int i = 0; i < 5; ++i) {
      write_batch(other, random);
      other.seal();
    }
    fetch_into(other, f, 100);
    check_content(other.engine);
    check_memory(other);
    EXPECT_EQ(other.engine.logical_bytes(), f.engine.logical_bytes());
    if (HasFatalFailure()) return;
  }
}

// An install that fails is undone, and then counts for nothing.
TEST(Accounting, NothingIsLeftOfWhatIsUndone) {
  Fixture f;
  const uint64_t empty = f.engine.counts().bytes - f.engine.use().tree - f.engine.use().slots;
  Random random(9);
  for (int i = 0; i < 10; ++i) {
    write_batch(f, random);
    f.seal();
  }
  EXPECT_GT(f.engine.logical_bytes(), 0u);
  f.rollback(0);
  EXPECT_EQ(f.engine.logical_bytes(), 0u);
  const Engine::Use use = f.engine.use();
  EXPECT_EQ(use.history, 0u);
  EXPECT_EQ(use.retired, 0u);
  uint64_t tables = 0;
  for (const Engine::TableUse& table : use.tables) {
    EXPECT_EQ(table.objects, 0u);
    tables += table.memory_bytes;
  }
  EXPECT_LE(tables, empty + 2 * 64 * 8 * 16);  // grown buckets stay
}

TEST(Accounting, NamesItsContainers) {
  Fixture f;
  f.begin();
  f.put(1, "key", "value");
  EXPECT_EQ(f.engine.use().tables[1].objects, 0u);
  f.put(1, "key", "other");
  EXPECT_EQ(f.engine.use().retired, allocated(12 + 5));
  f.seal();
  const Engine::Use use = f.engine.use();
  ASSERT_EQ(use.tables.size(), 2u);
  EXPECT_EQ(use.tables[0].name, "a");
  EXPECT_EQ(use.tables[1].name, "b");
  EXPECT_EQ(use.tables[1].logical_bytes, 8u);
  EXPECT_EQ(use.retired, 0u);
  EXPECT_GT(use.history, 0u);
  EXPECT_GT(use.tree, 0u);
}

}  // namespace
}  // namespace eve::state
