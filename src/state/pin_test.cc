#include "state/pin.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "state/diff.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;

constexpr HistoryLimits kSmall{4, size_t{1} << 20, 10, size_t{4} << 20};

/// One batch that writes a few keys.
void run_batch(Fixture& f, uint64_t keys = 100) {
  Random random(f.engine.last().value() + 1);
  f.begin();
  for (int i = 0; i < 5; ++i) {
    f.put(0, std::to_string(random.below(keys)), std::to_string(random.next()));
  }
  f.erase(0, std::to_string(random.below(keys)));
  f.seal();
}

void next_batch(Fixture& f, uint64_t keys = 100) {
  run_batch(f, keys);
  f.commit(f.engine.last().value());
}

TEST(Pin, KeepsItsVersionWhileBatchesCommit) {
  Fixture f(sha256(), 8, kSmall);
  for (int i = 0; i < 3; ++i) next_batch(f);
  auto pin = f.engine.pin(BatchNumber(2));
  ASSERT_TRUE(pin);
  const auto root = f.engine.root_at(BatchNumber(2));
  const auto before = testing::read_version(f.engine, BatchNumber(2), sha256());
  while (f.engine.last() < BatchNumber(12)) next_batch(f);
  EXPECT_EQ(pin->number(), BatchNumber(2));
  EXPECT_EQ(pin->moved(), 0u);
  EXPECT_TRUE(pin->take_changed().slots().empty());
  EXPECT_EQ(f.engine.oldest(), BatchNumber(2));
  EXPECT_EQ(f.engine.root_at(BatchNumber(2)), root);
  EXPECT_EQ(testing::read_version(f.engine, BatchNumber(2), sha256()), before);

  pin.reset();
  EXPECT_EQ(f.engine.oldest(), BatchNumber(8));  // what is kept without
  EXPECT_EQ(f.engine.recompute_root(), f.engine.root());
}

/// The slots of the batches after `from`, up to `to`, that are no longer what they were.
std::vector<uint64_t> slots_changed(const Fixture& f, uint64_t from, uint64_t to) {
  std::vector<uint64_t> slots;
  for (uint64_t n = from; n < to; ++n) {
    diff(f.engine.view(BatchNumber(n)), f.engine.view(BatchNumber(n + 1)),
         [&](const LeafDifference& leaf) { slots.push_back(leaf.slot); });
  }
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  return slots;
}

TEST(Pin, IsMovedPastTheLimitOfBatches) {
  Fixture f(sha256(), 8, kSmall);
  for (int i = 0; i < 3; ++i) next_batch(f);
  auto pin = f.engine.pin(BatchNumber(3));
  // A second engine that stays there, to compare with.
  Fixture stays(sha256(), 8, HistoryLimits{100, size_t{1} << 30});
  while (stays.engine.last() < BatchNumber(14)) next_batch(stays);
  while (f.engine.last() < BatchNumber(13)) next_batch(f);
  EXPECT_EQ(pin->moved(), 0u);
  next_batch(f);
  EXPECT_EQ(pin->moved(), 1u);
  EXPECT_EQ(pin->number(), BatchNumber(14));
  EXPECT_FALSE(pin->ended());
  EXPECT_EQ(f.engine.oldest(), BatchNumber(10));

  // What it says to have changed is at least what differs, and not everything.
  const auto changed = pin->take_changed().slots();
  size_t differing = 0;
  ASSERT_TRUE(diff(stays.engine.view(BatchNumber(3)), f.engine.view(BatchNumber(14)),
                   [&](const LeafDifference& leaf) {
                     EXPECT_TRUE(std::binary_search(changed.begin(), changed.end(), leaf.slot));
                     ++differing;
                   }));
  EXPECT_GT(differing, 20u);
  EXPECT_LT(changed.size(), 11u * 6 + 1);
  EXPECT_TRUE(pin->take_changed().slots().empty());

  // It goes on from there.
  while (f.engine.last() < BatchNumber(25)) next_batch(f);
  EXPECT_EQ(pin->moved(), 2u);
  EXPECT_EQ(pin->number(), BatchNumber(25));
  while (f.engine.last() < BatchNumber(36)) next_batch(f);
  EXPECT_EQ(pin->moved(), 3u);
  while (stays.engine.last() < BatchNumber(36)) next_batch(stays);
  EXPECT_EQ(pin->take_changed().slots(), slots_changed(stays, 14, 36));
}

TEST(Pin, KnowsWhatChangedBeforeItWasTakenOfAnOlderVersion) {
  Fixture f(sha256(), 8, kSmall);
  Fixture stays(sha256(), 8, HistoryLimits{100, size_t{1} << 30});
  while (f.engine.last() < BatchNumber(8)) next_batch(f);
  auto pin = f.engine.pin(BatchNumber(5));
  // Of the batch that is not committed when the pin moves nothing is named.
  while (pin->moved() == 0) {
    run_batch(f);
    f.commit(f.engine.last().value() - 1);
  }
  ASSERT_EQ(pin->number(), BatchNumber(16));
  ASSERT_EQ(f.engine.last(), BatchNumber(17));
  while (stays.engine.last() < BatchNumber(16)) next_batch(stays);
  EXPECT_EQ(pin->take_changed().slots(), slots_changed(stays, 5, 16));
}

TEST(Pin, IsMovedPastTheLimitOfBytes) {
  Fixture f(sha256(), 8, HistoryLimits{4, size_t{1} << 20, 100, size_t{4} << 20});
  next_batch(f);
  const auto pin = f.engine.pin(BatchNumber(1));
  const Bytes value(size_t{300} << 10, 'v');
  for (uint64_t i = 1; pin->moved() == 0; ++i) {
    ASSERT_LT(i, 17u);
    EXPECT_EQ(pin->number(), BatchNumber(1));
    f.begin();
    f.put(0, "big", value);
    f.seal();
    f.commit(f.engine.last().value());
  }
  // Four megabytes at most, and not much less.
  EXPECT_GE(f.engine.last().value(), 15u);
  EXPECT_LE(f.engine.counts().bytes, (size_t{2} << 20));
}

TEST(Pin, SeveralAreHeldAndMovedEachForItself) {
  Fixture f(sha256(), 8, kSmall);
  while (f.engine.last() < BatchNumber(3)) next_batch(f);
  auto old = f.engine.pin(BatchNumber(1));
  auto same = f.engine.pin(BatchNumber(1));
  while (f.engine.last() < BatchNumber(8)) next_batch(f);
  auto young = f.engine.pin(BatchNumber(7));
  while (f.engine.last() < BatchNumber(12)) next_batch(f);
  EXPECT_EQ(old->number(), BatchNumber(12));
  EXPECT_EQ(same->number(), BatchNumber(12));
  EXPECT_EQ(young->number(), BatchNumber(7));
  EXPECT_EQ(f.engine.oldest(), BatchNumber(7));
  old.reset();
  EXPECT_EQ(f.engine.oldest(), BatchNumber(7));
  *young = std::move(*same);  // lets go of 7
  EXPECT_EQ(young->number(), BatchNumber(12));
  EXPECT_EQ(f.engine.oldest(), BatchNumber(8));
}

TEST(Pin, OfWhatIsNotHeldIsRefused) {
  Fixture f(sha256(), 8, kSmall);
  for (int i = 0; i < 9; ++i) next_batch(f);
  EXPECT_FALSE(f.engine.pin(BatchNumber(4)));
  EXPECT_TRUE(f.engine.pin(BatchNumber(5)));
  EXPECT_TRUE(f.engine.pin(BatchNumber(9)));
  EXPECT_FALSE(f.engine.pin(BatchNumber(10)));
}

TEST(Pin, OutlivesTheRollbackOfNewerBatchesOnly) {
  Fixture f(sha256(), 8, kSmall);
  next_batch(f);
  for (int i = 0; i < 4; ++i) {
    f.begin();
    f.put(0, "k", std::to_string(i));
    f.seal();
  }
  const auto kept = f.engine.pin(BatchNumber(3));
  const auto undone = f.engine.pin(BatchNumber(4));
  const auto root = f.engine.root_at(BatchNumber(3));
  f.rollback(3);
  EXPECT_FALSE(kept->ended());
  EXPECT_TRUE(undone->ended());
  EXPECT_EQ(f.engine.root_at(kept->number()), root);
  while (f.engine.last() < BatchNumber(10)) next_batch(f);
  EXPECT_EQ(f.engine.root_at(kept->number()), root);
}

TEST(Pin, EndsWithAnInstallAndWithItsEngine) {
  std::optional<Pin> pin;
  {
    Fixture f;
    next_batch(f);
    const auto before = f.engine.pin(BatchNumber(1));
    Fetch fetch(f.engine, f.engine.root());
    ASSERT_TRUE(fetch.install(BatchNumber(1), f.scheduler).ok());
    EXPECT_TRUE(before->ended());
    pin = f.engine.pin(BatchNumber(1));
    EXPECT_FALSE(pin->ended());
  }
  EXPECT_TRUE(pin->ended());
}

TEST(Pin, GoneWithinABatchTrimsAtTheNextCommit) {
  Fixture f(sha256(), 8, kSmall);
  next_batch(f);
  auto pin = f.engine.pin(BatchNumber(1));
  while (f.engine.last() < BatchNumber(9)) next_batch(f);
  f.begin();
  for (int i = 0; i < 1000; ++i) f.put(0, "new" + std::to_string(i), "v");
  pin.reset();
  EXPECT_EQ(f.engine.oldest(), BatchNumber(1));
  f.seal();
  f.commit(10);
  EXPECT_EQ(f.engine.oldest(), BatchNumber(6));
}

}  // namespace
}  // namespace eve::state
