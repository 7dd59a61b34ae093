#include "execution/grain.h"

#include <gtest/gtest.h>

namespace eve::execution {
namespace {

Grain learned(uint64_t requests, TimeUs busy_us) {
  Grain grain;
  for (int i = 0; i < 100; ++i) grain.learn(requests, busy_us);
  return grain;
}

TEST(Grain, FollowsTheCost) {
  EXPECT_NEAR(learned(1000, 500).cost_ns(), 500, 1);
  EXPECT_NEAR(learned(3, 6000).cost_ns(), 2'000'000, 1000);
  EXPECT_GT(learned(1000, 0).cost_ns(), 0);
}

TEST(Grain, SplitsWhereItPays) {
  const Grain cheap = learned(1000, 500);
  EXPECT_EQ(cheap.chunk(100, 4), 100u);
  EXPECT_EQ(cheap.chunk(1, 4), 1u);
  EXPECT_EQ(cheap.chunk(1000, 1), 1000u);
  EXPECT_EQ(cheap.chunk(180, 4), 60u);       // 30 us each
  EXPECT_EQ(cheap.chunk(16'000, 4), 1000u);  // four chunks a worker
  const Grain dear = learned(10, 10'000);
  EXPECT_EQ(dear.chunk(8, 4), 1u);
  EXPECT_EQ(dear.chunk(160, 4), 10u);
}

TEST(Grain, IgnoresClocksThatGoBack) {
  Grain grain = learned(1000, 500);
  grain.learn(1000, -5);
  EXPECT_NEAR(grain.cost_ns(), 500, 1);
}

}  // namespace
}  // namespace eve::execution
