// Objects that go and come back, under commits, rollbacks and trimming: nothing of them is lost
// while a record needs it, and nothing stays when none does.
#include <gtest/gtest.h>

#include "state/engine.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;

constexpr uint64_t kKeys = 24;

std::string key_of(uint64_t number) {
  return "key " + std::to_string(number);
}

void commit_all(Fixture& f) {
  f.commit(f.engine.last().value());
}

void erase_all(Fixture& f) {
  f.begin();
  for (uint64_t i = 0; i < kKeys; ++i) f.erase(static_cast<uint16_t>(i % 2), key_of(i));
  f.seal();
  commit_all(f);
}

/// Until the history is full of batches that have changed nothing.
void forget(Fixture& f, const HistoryLimits& limits) {
  for (uint64_t i = 0; i <= limits.batches; ++i) {
    f.begin();
    f.seal();
    commit_all(f);
  }
}

size_t tables_bytes(const Fixture& f) {
  size_t bytes = 0;
  for (const Engine::TableUse& table : f.engine.use().tables) bytes += table.memory_bytes;
  return bytes;
}

using Version = std::map<testing::Model::Name, std::string>;

void write_batch(Fixture& f, Random& random, Version& state) {
  f.begin();
  for (uint64_t i = random.below(kKeys); i > 0; --i) {
    const uint64_t number = random.below(kKeys);
    const auto table = static_cast<uint16_t>(number % 2);
    const std::string key = key_of(number);
    if (random.chance(1, 2)) {
      f.erase(table, key, random.below(8));
      state.erase({table, key});
    } else {
      // The same key is made of blocks of different sizes each time.
      const std::string value(random.below(300), static_cast<char>('a' + random.below(26)));
      f.put(table, key, value, random.below(8));
      state[{table, key}] = value;
    }
  }
  f.seal();
}

/// Reads every version that is held, by slots and by keys.
void check_versions(Fixture& f, const std::vector<Version>& versions, uint64_t oldest) {
  for (uint64_t n = oldest; n < versions.size(); ++n) {
    ASSERT_EQ(testing::read_version(f.engine, BatchNumber(n), sha256()), versions[n]) << n;
    const VersionView view = f.engine.view(BatchNumber(n));
    for (uint64_t i = 0; i < kKeys; ++i) {
      const auto table = static_cast<uint16_t>(i % 2);
      const auto expected = versions[n].find({table, key_of(i)});
      const auto found = view.get(f.engine.table(table == 0 ? "a" : "b"), key_of(i));
      ASSERT_EQ(found.has_value(), expected != versions[n].end()) << n;
      if (found) {
        ASSERT_EQ(*found, expected->second) << n;
      }
    }
  }
}

TEST(Gone, NothingIsLostAndNothingStays) {
  const HistoryLimits limits{.batches = 6};
  Fixture f(sha256(), 8, limits);
  Version none;
  Random random(3);
  for (uint64_t i = 0; i < 4; ++i) write_batch(f, random, none);
  erase_all(f);
  forget(f, limits);
  // By now the tables have the buckets that they will ever have.
  const size_t empty = tables_bytes(f);

  for (uint64_t round = 0; round < 20; ++round) {
    std::vector<Version> versions(f.engine.last().value() + 1);
    const uint64_t first = f.engine.last().value();
    for (int step = 0; step < 40; ++step) {
      versions.push_back(versions.back());
      write_batch(f, random, versions.back());
      const uint64_t last = f.engine.last().value();
      if (random.chance(1, 3)) f.commit(last - random.below(std::min<uint64_t>(3, last - first)));
      if (random.chance(1, 4)) {
        const uint64_t committed = f.engine.committed().value();
        f.rollback(committed + random.below(last - committed + 1));
        versions.resize(f.engine.last().value() + 1);
      }
      const uint64_t committed = f.engine.committed().value();
      check_versions(f, versions, std::max(first, committed - limits.batches));
      if (HasFatalFailure()) return;
    }
    erase_all(f);
    forget(f, limits);
    ASSERT_EQ(tables_bytes(f), empty) << round;
    ASSERT_EQ(f.engine.counts().objects, 0u);
    ASSERT_EQ(f.engine.use().total(), f.engine.counts().bytes);
    ASSERT_EQ(f.engine.use().retired, 0u);
  }
}

}  // namespace
}  // namespace eve::state
