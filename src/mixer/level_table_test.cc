#include "mixer/level_table.h"

#include <gtest/gtest.h>

namespace eve::mixer {
namespace {

TEST(LevelTable, RemembersLevelsUntilTheNextStart) {
  LevelTable table;
  table.start(4, 10);
  LevelTable::Slot* slot = table.find(42);
  EXPECT_EQ(table.level_after(slot->written), 0u);
  EXPECT_EQ(table.level_after(slot->read), 0u);
  slot->written = table.stamp_of(0);
  slot->read = table.stamp_of(9);
  EXPECT_EQ(table.find(42), slot);
  EXPECT_EQ(table.level_after(slot->written), 1u);
  EXPECT_EQ(table.level_after(slot->read), 10u);
  table.start(4, 10);
  EXPECT_EQ(table.level_after(table.find(42)->written), 0u);
  EXPECT_EQ(table.level_after(table.find(42)->read), 0u);
}

TEST(LevelTable, HostileKeysMeetABoundedProbe) {
  constexpr uint64_t kStride = 1u << 20;  // the same place in every table up to this size
  LevelTable table;
  table.start(1000, 1000);
  for (uint64_t i = 0; i < LevelTable::kMaxProbe; ++i) EXPECT_NE(table.find(i * kStride), nullptr);
  EXPECT_EQ(table.find(LevelTable::kMaxProbe * kStride), nullptr);
  EXPECT_NE(table.find(5 * kStride), nullptr);
}

TEST(LevelTable, StampsStartOverBeforeTheyRunOut) {
  LevelTable table;
  for (int i = 0; i < 10; ++i) {
    table.start(1, 1u << 30);
    LevelTable::Slot* slot = table.find(1);
    ASSERT_EQ(table.level_after(slot->written), 0u);
    slot->written = table.stamp_of((1u << 30) - 1);
    ASSERT_EQ(table.level_after(slot->written), 1u << 30);
  }
}

}  // namespace
}  // namespace eve::mixer
