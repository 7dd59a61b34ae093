#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

#include "base/random.h"

namespace eve {
namespace {

static_assert(!std::is_convertible_v<uint64_t, View>);
static_assert(!std::is_convertible_v<View, uint64_t>);
static_assert(!std::is_constructible_v<View, BatchNumber>);

TEST(StrongId, CountsAndCompares) {
  EXPECT_EQ(BatchNumber().value(), 0u);
  EXPECT_EQ(BatchNumber(7).next(), BatchNumber(8));
  EXPECT_EQ(BatchNumber(7).prev(), BatchNumber(6));
  EXPECT_LT(BatchNumber(7), BatchNumber(8));
  EXPECT_EQ(std::unordered_set<View>({View(1), View(1), View(2)}).size(), 2u);
}

TEST(Address, OrderNamesAndHash) {
  EXPECT_EQ(to_string(Address::executor(0)), "executor-0");
  EXPECT_EQ(to_string(Address::verifier(3)), "verifier-3");
  EXPECT_EQ(to_string(Address::client(1023)), "client-1023");
  EXPECT_LT(Address::executor(9), Address::verifier(0));
  std::unordered_set<size_t> hashes;
  for (uint64_t i = 0; i < 100; ++i) {
    hashes.insert(std::hash<Address>()(Address::executor(i)));
    hashes.insert(std::hash<Address>()(Address::verifier(i)));
    hashes.insert(std::hash<Address>()(Address::client(i)));
  }
  EXPECT_EQ(hashes.size(), 300u);
}

// The first outputs of SplitMix64 for seed 1234567, from its authors' reference code.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
}

TEST(Random, BelowItsBound) {
  Random random(1);
  size_t counts[6] = {};
  for (int i = 0; i < 60'000; ++i) ++counts[random.below(6)];
  for (const size_t count : counts) EXPECT_NEAR(static_cast<double>(count), 10'000, 500);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace eve
