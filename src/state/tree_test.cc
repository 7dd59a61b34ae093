#include "state/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::digester;
using testing::ThreadScheduler;

/// Leaves that are just numbers; 0 is a free slot.
class Numbers final : public LeafSource {
 public:
  explicit Numbers(const crypto::Digester& used) : digester_(used) {}
  void digest(uint64_t slot, crypto::Digest& out) const override {
    if (numbers[slot] == 0) return;
    out = digester_.digest(std::to_string(numbers[slot]));
  }
  void prefetch(uint64_t slot, unsigned hops) const override {
    EXPECT_LT(slot, numbers.size());
    EXPECT_LT(hops, kHops);
  }
  crypto::Digest root() const {
    std::vector<crypto::Digest> digests(numbers.size());
    for (uint64_t slot = 0; slot < numbers.size(); ++slot) digest(slot, digests[slot]);
    return root_of_leaves(digester_, std::move(digests));
  }

  std::vector<uint64_t> numbers;

 private:
  const crypto::Digester& digester_;
};

/// Some slots: scattered ones, or all of a stretch.
std::vector<uint64_t> some_slots(Random& random, uint64_t slots) {
  std::set<uint64_t> chosen;
  const uint64_t first = random.below(slots);
  const uint64_t length = random.below(random.chance(1, 2) ? 40 : slots) + 1;
  const bool stretch = random.chance(1, 2);
  for (uint64_t i = 0; i < length; ++i) {
    chosen.insert(stretch ? std::min(first + i, slots - 1) : random.below(slots));
  }
  return {chosen.begin(), chosen.end()};
}

void check_updates(const crypto::Digester& used, Scheduler& scheduler, uint64_t leaf_ns) {
  Random random(leaf_ns);
  Tree tree(used);
  Numbers leaves(used);
  for (const uint64_t slots : {1u, 2u, 16u, 17u, 255u, 256u, 257u, 3000u, 4097u, 9000u}) {
    std::vector<uint64_t> fresh;
    while (leaves.numbers.size() < slots) {
      fresh.push_back(leaves.numbers.size());
      leaves.numbers.push_back(random.below(5));
    }
    tree.resize(slots);
    tree.update(fresh, leaves, leaf_ns, scheduler);
    ASSERT_EQ(tree.root(), leaves.root());
    for (int i = 0; i < 4; ++i) {
      const std::vector<uint64_t> dirty = some_slots(random, slots);
      std::vector<crypto::Digest> before;
      for (const uint64_t slot : dirty) before.push_back(tree.digest({0, slot}));
      const crypto::Digest top = tree.record().top;
      for (const uint64_t slot : dirty) leaves.numbers[slot] = random.below(1'000);
      const Replaced replaced = tree.update(dirty, leaves, leaf_ns, scheduler);
      ASSERT_EQ(tree.root(), leaves.root());
      ASSERT_EQ(replaced.size(), top_level(slots) + size_t{1});
      ASSERT_EQ(replaced[0].indexes, dirty);
      for (size_t j = 0; j < dirty.size(); ++j) {
        const ByteView old(replaced[0].digests.data() + j * used.size(), used.size());
        ASSERT_EQ(digest_from(old), before[j]);
      }
      ASSERT_EQ(digest_from(replaced.back().digests), top);
      for (const ReplacedLevel& level : replaced) {
        ASSERT_TRUE(std::is_sorted(level.indexes.begin(), level.indexes.end()));
        ASSERT_EQ(level.digests.size(), level.indexes.size() * used.size());
      }
    }
  }
}

TEST(Tree, UpdatesInPartsAreThoseOfTheWhole) {
  for (const auto algorithm : {crypto::DigestAlgorithm::kSha256, crypto::DigestAlgorithm::kXxh3}) {
    for (const size_t threads : {1u, 2u, 8u}) {
      ThreadScheduler scheduler(threads);
      for (const uint64_t leaf_ns : {0u, 10u, 100'000u}) {
        check_updates(digester(algorithm), scheduler, leaf_ns);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// A payload lies in the tree as it is hashed.
TEST(Tree, DigestsLieInTheirParentsPayload) {
  const crypto::Digester& used = testing::sha256();
  Tree tree(used);
  Numbers leaves(used);
  InlineScheduler scheduler;
  std::vector<uint64_t> all;
  for (uint64_t slot = 0; slot < 40; ++slot) {
    leaves.numbers.push_back(slot + 1);
    all.push_back(slot);
  }
  tree.resize(40);
  tree.update(all, leaves, 100, scheduler);
  for (uint64_t parent = 0; parent < 3; ++parent) {
    Bytes payload;
    encode_inner(tree.digests(0, parent * kFanout, child_count(40, {1, parent})), payload);
    EXPECT_EQ(tree.digest({1, parent}), used.digest(payload));
  }
}

TEST(Tree, PartsAreEvenAndHaveTheirNodesToThemselves) {
  ThreadScheduler scheduler(8);
  Tree tree(testing::sha256());
  tree.resize(1'000'000);
  Random random(3);
  for (const uint64_t width : {1'000'000u, 5'000u, 300u}) {
    std::set<uint64_t> chosen;
    for (int i = 0; i < 3'000; ++i) chosen.insert(random.below(width));
    const std::vector<uint64_t> dirty(chosen.begin(), chosen.end());
    const Cuts cuts = tree.cut(dirty.size(), dirty, 300, scheduler);
    EXPECT_GE(cuts.parts(), 8u) << width;
    uint64_t span = 1;
    for (uint8_t i = 0; i < cuts.height; ++i) span *= kFanout;
    for (size_t i = 0; i < cuts.parts(); ++i) {
      EXPECT_EQ(cuts.first[i] % span, 0u);
      EXPECT_LT(cuts.first[i], cuts.end(i));
      const auto inside = std::count_if(dirty.begin(), dirty.end(), [&](uint64_t slot) {
        return slot >= cuts.first[i] && slot < cuts.end(i);
      });
      EXPECT_LE(static_cast<size_t>(inside), dirty.size() / 8) << width;
    }
  }
  EXPECT_EQ(tree.cut(5, {1, 2, 3, 4, 5}, 300, scheduler).parts(), 1u);
}

}  // namespace
}  // namespace eve::state
