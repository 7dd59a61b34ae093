#include "state/slots.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace eve::state {
namespace {

TEST(NumberSet, IsASetWithAMinimum) {
  Random random(1);
  NumberSet set;
  std::set<uint64_t> model;
  for (int i = 0; i < 20'000; ++i) {
    // Large numbers now and then, so that levels are added above what is there.
    const uint64_t number = random.below(random.chance(1, 500) ? 300'000 : 200);
    if (random.chance(1, 2)) {
      set.insert(number);
      model.insert(number);
    } else {
      set.erase(number);
      model.erase(number);
    }
    ASSERT_EQ(set.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(set.lowest(), *model.begin());
    }
  }
}

TEST(Slots, LowestFreeFirstThenNewOnes) {
  Slots slots;
  Object* object = Object::make(1, 0, "key");
  EXPECT_EQ(slots.lowest_free(), 0u);
  slots.resize(3);
  slots.place(1, object);
  EXPECT_EQ(object->slot, 1u);
  EXPECT_EQ(slots.lowest_free(), 0u);
  EXPECT_EQ(slots.vacate(1), object);
  EXPECT_EQ(object->slot, kNoSlot);
  slots.resize(0);
  EXPECT_EQ(slots.lowest_free(), 0u);
  slots.place(0, object);
  EXPECT_EQ(slots.lowest_free(), 1u);
  Object::destroy(object);
}

}  // namespace
}  // namespace eve::state
