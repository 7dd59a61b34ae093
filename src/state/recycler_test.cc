#include "state/recycler.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <set>

namespace eve::state {
namespace {

constexpr Recycler::Mode kKeep = Recycler::Mode::kKeep;

/// Fills the block: a sanitizer or the allocator's checks see it if it is shorter than it should
/// be.
void* take(Recycler& recycler, size_t worker, size_t size) {
  void* block = recycler.of(worker).take(size);
  std::memset(block, 0x5A, size);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0u);
  return block;
}

TEST(Recycler, WhatIsGivenIsTakenAgain) {
  Recycler recycler(2, kKeep);
  recycler.begin_batch(0);
  std::set<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.insert(take(recycler, 0, 100));
  std::free(take(recycler, 1, 3000));
  EXPECT_EQ(recycler.bytes(), 0u);
  for (void* block : blocks) recycler.give(block, 100);
  EXPECT_EQ(recycler.bytes(), 10 * allocated(100));
  recycler.begin_batch(0);
  EXPECT_EQ(recycler.bytes(), 10 * allocated(100));
  // The same class, if not the same size; and to the worker that asked for it before.
  std::set<void*> again;
  for (int i = 0; i < 10; ++i) again.insert(take(recycler, 0, 98));
  EXPECT_EQ(again, blocks);
  EXPECT_EQ(recycler.bytes(), 0u);
  for (void* block : again) recycler.give(block, 98);
  recycler.begin_batch(0);
  recycler.begin_batch(0);
}

// Every size of a class fits into every block of it, whoever made the block.
TEST(Recycler, BlocksFitTheirClass) {
  for (size_t size = 1; size < kRecycledBytes + 100; size += size < 200 ? 1 : 37) {
    Recycler recycler(1, kKeep);
    std::free(take(recycler, 0, size));
    recycler.give(allocate(size), size);
    recycler.begin_batch(0);
    size_t largest = size;
    while (allocated(largest + 1) == allocated(size)) ++largest;
    void* block = take(recycler, 0, largest);
    EXPECT_EQ(recycler.bytes(), 0u) << size;
    std::free(block);
  }
}

TEST(Recycler, LargeBlocksAreNotKept) {
  Recycler recycler(1, kKeep);
  recycler.give(take(recycler, 0, kRecycledBytes), kRecycledBytes);
  EXPECT_EQ(recycler.bytes(), allocated(kRecycledBytes));
  recycler.give(take(recycler, 0, kRecycledBytes + 16), kRecycledBytes + 16);
  EXPECT_EQ(recycler.bytes(), allocated(kRecycledBytes));
}

TEST(Recycler, WhatIsKeptIsBounded) {
  constexpr size_t kBlock = 1000;
  const auto give_many = [](Recycler& recycler, size_t bytes) {
    for (size_t i = 0; i < bytes / kBlock; ++i) recycler.give(allocate(kBlock), kBlock);
  };
  Recycler recycler(2, kKeep);
  recycler.begin_batch(0);
  give_many(recycler, 2 * Recycler::kLeastLimit);
  EXPECT_LE(recycler.bytes(), Recycler::kLeastLimit);
  EXPECT_GT(recycler.bytes(), Recycler::kLeastLimit - 2 * kBlock);
  // A larger state may keep more, and must let go of it when it shrinks.
  recycler.begin_batch(4 * Recycler::kLimitShare * Recycler::kLeastLimit);
  give_many(recycler, 3 * Recycler::kLeastLimit);
  EXPECT_GT(recycler.bytes(), 2 * Recycler::kLeastLimit);
  for (int i = 0; i < 100; ++i) std::free(take(recycler, 1, kBlock));
  // Little by little: no batch waits for all of it.
  size_t before = recycler.bytes();
  for (size_t batches = 0; before > Recycler::kLeastLimit; before = recycler.bytes()) {
    std::free(take(recycler, 1, kBlock));  // this class is wanted
    recycler.begin_batch(0);
    EXPECT_GE(recycler.bytes() + (Recycler::kFreedAtOnce + 1) * allocated(kBlock), before);
    ASSERT_LT(++batches, 4 * Recycler::kLeastLimit / kBlock / Recycler::kFreedAtOnce + 2);
  }
  // No more than that went.
  EXPECT_GT(recycler.bytes(), Recycler::kLeastLimit - 2 * allocated(kBlock));
}

TEST(Recycler, WhatNobodyWantsMakesRoom) {
  Recycler recycler(1, kKeep);
  recycler.begin_batch(0);
  for (size_t i = 0; i < Recycler::kLeastLimit / 1000; ++i) recycler.give(allocate(1000), 1000);
  std::free(take(recycler, 0, 50));
  recycler.give(allocate(50), 50);
  recycler.give(allocate(1000), 1000);
  size_t before = recycler.bytes();
  for (size_t batches = 0; before >= allocated(1000); before = recycler.bytes()) {
    std::free(take(recycler, 0, 50));
    recycler.begin_batch(0);
    recycler.give(allocate(50), 50);
    EXPECT_GE(recycler.bytes() + Recycler::kFreedAtOnce * allocated(1000), before);
    ASSERT_LT(++batches, Recycler::kLeastLimit / 1000 / Recycler::kFreedAtOnce + 2);
  }
}

// A worker that took many and now takes few does not sit on what others could use.
TEST(Recycler, MagazinesFollowDemand) {
  Recycler recycler(2, kKeep);
  const auto take_and_give = [&](size_t worker, int count) {
    std::vector<void*> blocks;
    for (int i = 0; i < count; ++i) blocks.push_back(take(recycler, worker, 200));
    for (void* block : blocks) recycler.give(block, 200);
    recycler.begin_batch(0);
  };
  recycler.begin_batch(0);
  take_and_give(0, 1000);
  take_and_give(0, 1);
  take_and_give(1, 900);
  const size_t before = recycler.bytes();
  EXPECT_EQ(before, 1900 * allocated(200));
  std::vector<void*> blocks;
  for (int i = 0; i < 900; ++i) blocks.push_back(take(recycler, 1, 200));
  EXPECT_EQ(recycler.bytes(), before - 900 * allocated(200));
  for (void* block : blocks) recycler.give(block, 200);
}

TEST(Recycler, UnderSanitizersNothingIsKept) {
  Recycler recycler(1, Recycler::Mode::kPassThrough);
  recycler.give(take(recycler, 0, 100), 100);
  EXPECT_EQ(recycler.bytes(), 0u);
}

}  // namespace
}  // namespace eve::state
