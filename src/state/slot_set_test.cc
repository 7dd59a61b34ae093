#include "state/slot_set.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace eve::state {
namespace {

constexpr uint64_t kSlots = 300;

std::vector<uint64_t> listed(const std::vector<bool>& model) {
  std::vector<uint64_t> slots;
  for (uint64_t slot = 0; slot < model.size(); ++slot) {
    if (model[slot]) slots.push_back(slot);
  }
  return slots;
}

TEST(SlotSet, IsASet) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    SlotSet set;
    std::vector<bool> model(kSlots);
    for (int i = 0; i < 100; ++i) {
      const uint64_t first = random.below(kSlots);
      const uint64_t end = first + random.below(kSlots + 1 - first) / (1 + random.below(8));
      const auto from = model.begin() + static_cast<std::ptrdiff_t>(first);
      const auto to = model.begin() + static_cast<std::ptrdiff_t>(end);
      SlotSet other;
      other.add(SlotRange{first, end});
      switch (random.below(4)) {
        case 0:
          set.add(SlotRange{first, end});
          std::fill(from, to, true);
          break;
        case 1:
          set.add(other);
          std::fill(from, to, true);
          break;
        case 2:
          set.add(first);
          model[first] = true;
          break;
        default:
          set.remove(other);
          std::fill(from, to, false);
      }
      ASSERT_EQ(set.slots(), listed(model));
      const uint64_t a = random.below(kSlots);
      const uint64_t b = a + random.below(kSlots + 1 - a);
      ASSERT_EQ(
          set.contains(SlotRange{a, b}),
          std::all_of(model.begin() + static_cast<std::ptrdiff_t>(a),
                      model.begin() + static_cast<std::ptrdiff_t>(b), [](bool x) { return x; }));
      ASSERT_EQ(set.contains(a), model[a]);
    }
    set.clear();
    EXPECT_TRUE(set.slots().empty());
    EXPECT_FALSE(set.contains(0));
    EXPECT_FALSE(set.contains(SlotRange{kSlots, kSlots + 1000}));
    EXPECT_TRUE(set.contains(SlotRange{kSlots, kSlots}));
  }
}

}  // namespace
}  // namespace eve::state
