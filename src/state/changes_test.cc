// The end of a batch on one worker and on many: the same leaves, records and roots.
#include "state/changes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::digester;
using testing::Fixture;
using testing::read_version;
using testing::ThreadScheduler;

std::vector<LeafBefore> random_leaves(Random& random, size_t count, uint64_t below) {
  std::vector<LeafBefore> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back({random.below(below)});
  return leaves;
}
std::vector<uint64_t> slots_of(const std::vector<LeafBefore>& leaves) {
  std::vector<uint64_t> slots;
  for (const LeafBefore& leaf : leaves) slots.push_back(leaf.slot);
  return slots;
}

TEST(Changes, SortBySlot) {
  Random random(1);
  for (const size_t count : {0u, 1u, 2u, 199u, 200u, 201u, 3000u}) {
    for (const uint64_t below : {1u, 2u, 2047u, 2049u, 5'000'000u}) {
      std::vector<LeafBefore> leaves = random_leaves(random, count, below);
      if (count > 0) leaves[0].slot = kMaxSlots - 1 - random.below(2);
      std::vector<uint64_t> expected = slots_of(leaves);
      std::sort(expected.begin(), expected.end());
      sort_by_slot(leaves);
      ASSERT_EQ(slots_of(leaves), expected) << count << " below " << below;
    }
  }
}

TEST(Changes, RunsAreMergedPieceByPiece) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    LeafRuns runs;
    std::vector<uint64_t> expected;
    for (uint64_t i = random.below(6); i > 0; --i) {
      std::vector<LeafBefore> run = random_leaves(random, random.below(100), 1000);
      sort_by_slot(run);
      for (const LeafBefore& leaf : run) expected.push_back(leaf.slot);
      runs.add(std::move(run));
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(runs.size(), expected.size());
    const std::vector<uint64_t> sample = runs.sample(20);
    ASSERT_TRUE(std::is_sorted(sample.begin(), sample.end()));
    ASSERT_LE(sample.size(), 40u);
    ASSERT_GE(sample.size(), std::min<size_t>(expected.size(), 20));
    std::vector<LeafBefore> merged(expected.size());
    std::vector<uint64_t> slots;
    for (const auto& [first, end] : {std::pair{0u, 300u}, {300u, 301u}, {301u, 1000u}}) {
      const auto piece = runs.merge(first, end, merged.data() + runs.before(first));
      slots.insert(slots.end(), piece.begin(), piece.end());
    }
    ASSERT_EQ(slots, expected);
    ASSERT_EQ(slots_of(merged), expected);
  }
}

/// A batch that touches about `count` objects: scattered ones, or all of a stretch; changed,
/// deleted, made, made and deleted, some under marks. Freed slots are taken again.
void write_batch(Fixture& f, uint64_t seed, uint64_t count) {
  Random random(seed);
  f.begin();
  const uint64_t keys = std::max<uint64_t>(1, random.chance(1, 2) ? 3 * count : 8000);
  const uint64_t kind = random.below(4);
  const auto marked = [&] { return random.chance(1, 40); };
  for (uint64_t i = 0; i < count; ++i) {
    const auto table = static_cast<uint16_t>(random.below(2));
    const std::string key = std::to_string(random.below(keys));
    const size_t worker = random.below(8);
    if (seed % 2 == 1 && marked()) f.engine.mark();
    if (kind == 0 ? random.chance(4, 5) : random.chance(1, 4)) {
      f.erase(table, key, worker);
    } else {
      f.put(table, key, std::to_string(random.next()), worker);
    }
    if (seed % 2 == 1 && marked()) f.engine.undo_to_mark();
  }
}

struct Outcome {
  std::vector<crypto::Digest> roots;
  std::vector<std::map<testing::Model::Name, std::string>> versions;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const crypto::Digester& used, Scheduler& scheduler, uint64_t seed) {
  Fixture f(used);
  Outcome result;
  for (const uint64_t count : {6000u, 0u,   1u,   9u,   10u,  11u,  20u,  21u,   199u,  200u,
                               201u,  249u, 250u, 251u, 499u, 500u, 501u, 2000u, 5000u, 700u}) {
    write_batch(f, seed + count, count);
    result.roots.push_back(f.engine.seal(scheduler));
    EXPECT_EQ(f.engine.recompute_root(), result.roots.back());
  }
  for (uint64_t n = 0; n <= f.engine.last().value(); n += 3) {
    const auto version = read_version(f.engine, BatchNumber(n), used);
    EXPECT_TRUE(version) << n;
    result.versions.push_back(version.value_or(std::map<testing::Model::Name, std::string>()));
  }
  // What was recorded leads all the way back.
  for (uint64_t n = f.engine.last().value(); n-- > 0;) {
    f.engine.rollback(BatchNumber(n), scheduler);
    if (n > 0) {
      EXPECT_EQ(f.engine.root(), result.roots[n - 1]);
    }
  }
  EXPECT_EQ(f.engine.counts().objects, 0u);
  return result;
}

TEST(Changes, ThreadsLeaveNoTrace) {
  for (const auto algorithm : {crypto::DigestAlgorithm::kSha256, crypto::DigestAlgorithm::kXxh3}) {
    const uint64_t seed = 10 * static_cast<uint64_t>(algorithm);
    const crypto::Digester& used = digester(algorithm);
    InlineScheduler inline_scheduler;
    const Outcome expected = outcome(used, inline_scheduler, seed);
    for (const size_t threads : {1u, 2u, 8u}) {
      if (threads == 1 && algorithm == crypto::DigestAlgorithm::kSha256) continue;
      ThreadScheduler scheduler(threads);
      EXPECT_TRUE(outcome(used, scheduler, seed) == expected) << threads;
    }
  }
}

}  // namespace
}  // namespace eve::state
