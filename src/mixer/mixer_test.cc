#include "mixer/mixer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/random.h"

namespace eve::mixer {
namespace {

using Levels = std::vector<uint32_t>;

Levels levels_of(const MixedBatch& mixed) {
  Levels levels(mixed.order.size());
  for (size_t k = 0; k < mixed.parallel_batches(); ++k) {
    for (uint32_t i = mixed.begin(k); i < mixed.end(k); ++i) {
      levels[mixed.order[i]] = static_cast<uint32_t>(k);
    }
  }
  return levels;
}

bool conflict(const Footprint& a, const Footprint& b) {
  if (a.is_alone() || b.is_alone()) return true;
  for (const Footprint::Key& x : a.keys()) {
    for (const Footprint::Key& y : b.keys()) {
      if (x.hash == y.hash && (x.write || y.write)) return true;
    }
  }
  return false;
}

/// The definition, word for word.
Levels dumb_levels(const std::vector<Footprint>& batch) {
  Levels levels;
  for (size_t i = 0; i < batch.size(); ++i) {
    uint32_t level = 0;
    for (size_t j = 0; j < i; ++j) {
      if (conflict(batch[i], batch[j])) level = std::max(level, levels[j] + 1);
    }
    levels.push_back(level);
  }
  return levels;
}

const MixedBatch& mix(Mixer& mixer, const std::vector<Footprint>& batch) {
  mixer.start(batch.size());
  for (const Footprint& footprint : batch) mixer.add(footprint);
  return mixer.finish();
}

std::vector<Footprint> random_batch(Random& random) {
  std::vector<Footprint> batch(random.below(120));
  const uint64_t universe = 1 + random.below(60);
  const uint64_t alone = random.below(3) == 0 ? 15 : 0;
  for (Footprint& footprint : batch) {
    if (random.chance(alone, 100)) footprint.alone();
    for (uint64_t k = random.below(4); k > 0; --k) {
      const std::string key = "key" + std::to_string(random.below(universe));
      if (random.chance(1, 3)) {
        footprint.write(key);
      } else {
        footprint.read(key);
      }
    }
  }
  return batch;
}

TEST(Mixer, AgreesWithTheDefinition) {
  Mixer mixer;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    const std::vector<Footprint> batch = random_batch(random);
    const MixedBatch& mixed = mix(mixer, batch);
    ASSERT_EQ(levels_of(mixed), dumb_levels(batch)) << "seed " << seed;
    for (size_t k = 0; k < mixed.parallel_batches(); ++k) {
      ASSERT_LT(mixed.begin(k), mixed.end(k));
      ASSERT_TRUE(
          std::is_sorted(mixed.order.begin() + mixed.begin(k), mixed.order.begin() + mixed.end(k)));
    }
  }
}

/// A request reads its keys, and writes what it saw and its own number to those it may write.
class Machine {
 public:
  uint64_t run(uint64_t request, const Footprint& footprint) {
    uint64_t seen = request;
    for (const Footprint::Key& key : footprint.keys()) seen = mixed(seen, cells_[key.hash]);
    if (footprint.is_alone()) {
      for (auto& [hash, value] : cells_) seen = value = mixed(seen, value);
    }
    for (const Footprint::Key& key : footprint.keys()) {
      if (key.write) cells_[key.hash] = seen;
    }
    return seen;
  }
  std::map<uint64_t, uint64_t> cells_;

 private:
  static uint64_t mixed(uint64_t a, uint64_t b) { return Random(a * 31 + b).next(); }
};

TEST(Mixer, RunningByLevelsInAnyOrderInsideThemEqualsTheBatchOrder) {
  Mixer mixer;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Random random(seed);
    const std::vector<Footprint> batch = random_batch(random);
    Machine in_order;
    Machine by_levels;
    for (const Footprint& footprint : batch) {
      for (const Footprint::Key& key : footprint.keys()) {
        in_order.cells_[key.hash] = by_levels.cells_[key.hash] = 0;
      }
    }
    std::vector<uint64_t> expected;
    for (size_t i = 0; i < batch.size(); ++i) expected.push_back(in_order.run(i, batch[i]));
    std::vector<uint64_t> replies(batch.size());
    MixedBatch mixed = mix(mixer, batch);
    for (size_t k = 0; k < mixed.parallel_batches(); ++k) {
      for (uint32_t left = mixed.end(k) - mixed.begin(k); left > 0; --left) {
        uint32_t* chosen = &mixed.order[mixed.begin(k) + random.below(left)];
        replies[*chosen] = by_levels.run(*chosen, batch[*chosen]);
        std::swap(*chosen, mixed.order[mixed.begin(k) + left - 1]);
      }
    }
    ASSERT_EQ(replies, expected) << "seed " << seed;
    ASSERT_EQ(by_levels.cells_, in_order.cells_) << "seed " << seed;
  }
}

TEST(Mixer, AloneIsABarrierOnBothSides) {
  std::vector<Footprint> batch(5);
  batch[0].write("a");
  batch[1].write("a");
  batch[2].alone();
  batch[4].read("a");
  Mixer mixer;
  EXPECT_EQ(levels_of(mix(mixer, batch)), (Levels{0, 1, 2, 3, 3}));
}

TEST(Mixer, AnEmptyBatchHasNoParallelBatch) {
  Mixer mixer;
  EXPECT_EQ(mix(mixer, {}).parallel_batches(), 0u);
}

TEST(Mixer, EarlierBatchesLeaveNoTrace) {
  Random random(7);
  Mixer used;
  for (int i = 0; i < 50; ++i) mix(used, random_batch(random));
  std::vector<Footprint> large(20'000);
  for (size_t i = 0; i < large.size(); ++i) large[i].write(std::to_string(i));
  EXPECT_EQ(mix(used, large).parallel_batches(), 1u);
  for (int i = 0; i < 50; ++i) {
    const std::vector<Footprint> batch = random_batch(random);
    Mixer fresh;
    ASSERT_EQ(levels_of(mix(used, batch)), levels_of(mix(fresh, batch)));
  }
}

}  // namespace
}  // namespace eve::mixer
