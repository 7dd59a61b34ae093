#include "sim/network.h"

#include <gtest/gtest.h>

namespace eve::sim {
namespace {

TEST(Network, DeliversInOrderUnlessToldOtherwise) {
  NetworkPlan plan;
  plan.tail_per_mille = 200;
  for (const bool reorder : {false, true}) {
    plan.reorder = reorder;
    Network network(plan, 2, 1);
    TimeUs last = 0;
    bool overtaken = false;
    for (TimeUs now = 0; now < 20'000; now += 100) {
      const auto delivery = network.send(0, 1, now);
      ASSERT_EQ(delivery.copies, 1u);
      EXPECT_GE(delivery.at[0], now + plan.least_delay_us / 2);
      overtaken = overtaken || delivery.at[0] < last;
      last = delivery.at[0];
    }
    EXPECT_EQ(overtaken, reorder);
  }
}

TEST(Network, LosesAndDuplicatesAsOftenAsPlanned) {
  NetworkPlan plan;
  plan.loss_per_mille = 100;
  plan.duplicate_per_mille = 200;
  Network network(plan, 2, 1);
  for (int i = 0; i < 10'000; ++i) network.send(0, 1, i);
  EXPECT_NEAR(static_cast<double>(network.counts().lost), 1000, 150);
  EXPECT_NEAR(static_cast<double>(network.counts().duplicated), 1800, 200);
  network.calm();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(network.send(0, 1, i).copies, 1u);
}

TEST(Network, CutsBetweenTheSidesOfAPartition) {
  Network network(NetworkPlan(), 4, 1);
  network.partition({true, true, false, false});
  EXPECT_EQ(network.send(0, 1, 0).copies, 1u);
  EXPECT_EQ(network.send(2, 3, 0).copies, 1u);
  EXPECT_EQ(network.send(0, 2, 0).copies, 0u);
  EXPECT_EQ(network.send(3, 1, 0).copies, 0u);
  network.heal();
  EXPECT_EQ(network.send(0, 2, 0).copies, 1u);
}

}  // namespace
}  // namespace eve::sim
