// Many workers at once: the same result where requests do not conflict, no harm where they do.
#include <gtest/gtest.h>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::on_worker;
using testing::ThreadScheduler;

void run_batch_without_conflicts(Fixture& f, Scheduler& scheduler, uint64_t seed) {
  constexpr size_t kRequests = 500;
  f.begin();
  scheduler.run(kRequests, 1000, [&](size_t worker, size_t index) {
    Context context = on_worker(worker);
    Random random(seed * kRequests + index);
    for (int i = 0; i < 8; ++i) {
      // Keys of this request only.
      const std::string key = std::to_string(index * 10 + random.below(10));
      ByteMap& map = f.map(static_cast<uint16_t>(random.below(2)));
      if (random.chance(1, 3)) {
        map.erase(context, key);
      } else {
        const auto found = map.get(context, key);
        map.put(context, key, Bytes(found.value_or("")).substr(0, 40) + std::to_string(i));
      }
    }
  });
  f.engine.seal(scheduler);
}

std::vector<crypto::Digest> roots_without_conflicts(size_t threads) {
  Fixture f;
  ThreadScheduler scheduler(threads);
  for (uint64_t seed = 1; seed <= 3; ++seed) run_batch_without_conflicts(f, scheduler, seed);
  f.engine.rollback(BatchNumber(1), scheduler);
  for (uint64_t seed = 4; seed <= 6; ++seed) run_batch_without_conflicts(f, scheduler, seed);
  EXPECT_EQ(f.engine.recompute_root(), f.engine.root());
  std::vector<crypto::Digest> roots;
  for (uint64_t n = 0; n <= 4; ++n) roots.push_back(*f.engine.root_at(BatchNumber(n)));
  return roots;
}

TEST(Workers, GiveTheSameRootsInAnyNumber) {
  const auto alone = roots_without_conflicts(1);
  EXPECT_EQ(roots_without_conflicts(2), alone);
  EXPECT_EQ(roots_without_conflicts(8), alone);
}

/// Any operation on a few keys that everybody else is using.
void race(Fixture& f, size_t worker, Random& random) {
  Context context = on_worker(worker);
  ByteMap& map = f.map(static_cast<uint16_t>(random.below(2)));
  const std::string key = std::to_string(random.below(60));
  switch (random.below(8)) {
    case 0:
      map.erase(context, key);
      break;
    case 1:
      map.size(context);
      break;
    case 2:
      if (!random.chance(1, 16)) break;
      map.scan(context, random.next(), [&](const ByteMap::Entry& entry) {
        EXPECT_EQ(entry.value, Bytes(entry.value.size(), entry.value[0]));
        return true;
      });
      break;
    case 3:
      // Growth, while others look on.
      map.put(context, std::to_string(random.below(100'000)), "y");
      break;
    case 4:
    case 5: {
      const auto found = map.get(context, key);
      for (int i = 0; found && i < 3; ++i) map.put(context, key, "z");
      // Still what it was, whoever overwrote it.
      if (found) {
        EXPECT_EQ(*found, Bytes(found->size(), (*found)[0]));
      }
      break;
    }
    default:
      map.put(context, key, Bytes(1 + random.below(100), 'x'));
  }
}

TEST(Workers, RacesDoNoHarm) {
  Fixture f;
  ThreadScheduler scheduler(8);
  std::vector<crypto::Digest> roots{f.engine.root()};
  Random random(5);
  for (int round = 0; round < 40; ++round) {
    f.begin();
    scheduler.run(64, 1000, [&](size_t worker, size_t index) {
      Random own(static_cast<uint64_t>(round) * 64 + index);
      for (int i = 0; i < 100; ++i) race(f, worker, own);
    });
    if (random.chance(3, 4)) {
      roots.push_back(f.engine.seal(scheduler));
      ASSERT_EQ(f.engine.recompute_root(), roots.back());
      ASSERT_EQ(f.engine.counts().objects, f.size(0) + f.size(1));
    }
    if (random.chance(1, 3)) {
      const uint64_t committed = f.engine.committed().value();
      const uint64_t n = committed + random.below(f.engine.last().value() - committed + 1);
      f.engine.rollback(BatchNumber(n), scheduler);
      roots.resize(n + 1);
      ASSERT_EQ(f.engine.root(), roots.back());
      ASSERT_EQ(f.engine.recompute_root(), roots.back());
    } else {
      f.engine.rollback(f.engine.last(), scheduler);  // the batch, if it is still open
    }
    f.engine.commit(BatchNumber(roots.size() < 4 ? 0 : roots.size() - 4));
  }
}

// The size is what it was at one instant: moving keys about never shows.
TEST(Workers, SizeIsLinearizable) {
  Fixture f;
  ThreadScheduler scheduler(4);
  f.begin();
  for (int i = 0; i < 100; ++i) f.put(0, "fixed" + std::to_string(i), "");
  scheduler.run(4, 1000, [&](size_t worker, size_t index) {
    Context context = on_worker(worker);
    for (int i = 0; i < 3000; ++i) {
      const std::string key = std::to_string(index) + "/" + std::to_string(i);
      if (index == 0) {
        const uint64_t size = f.a.size(context);
        EXPECT_GE(size, 100u);
        EXPECT_LE(size, 103u);
      } else {
        f.a.put(context, key, "");
        f.a.erase(context, key);
      }
    }
  });
  f.seal();
  EXPECT_EQ(f.engine.counts().objects, 100u);
  EXPECT_EQ(f.engine.counts().slots, 100u);
}

}  // namespace
}  // namespace eve::state
