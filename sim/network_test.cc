#include "sim/network.h"

#include <gtest/gtest.h>

#include "sim/partition.h"

namespace eve::sim {
namespace {

constexpr size_t kBytes = 100;

TEST(Network, DeliversInOrderUnlessToldOtherwise) {
  NetworkPlan plan;
  plan.tail_per_mille = 200;
  for (const bool reorder : {false, true}) {
    plan.reorder = reorder;
    Network network(plan, 2, 1);
    TimeUs last = 0;
    bool overtaken = false;
    for (TimeUs now = 0; now < 20'000; now += 100) {
      const auto delivery = network.send(0, 1, kBytes, now);
      ASSERT_EQ(delivery.copies, 1u);
      EXPECT_GE(delivery.at[0], now + plan.least_delay_us / 2);
      overtaken = overtaken || delivery.at[0] < last;
      last = delivery.at[0];
    }
    EXPECT_EQ(overtaken, reorder);
    EXPECT_EQ(network.counts().overtaken > 0, reorder);
  }
}

TEST(Network, LosesAndRepeatsAsOftenAsPlanned) {
  NetworkPlan plan;
  plan.loss_per_mille = 100;
  plan.duplicate_per_mille = 200;
  plan.replay_per_mille = 50;
  Network network(plan, 2, 1);
  TimeUs latest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto delivery = network.send(0, 1, kBytes, i);
    for (size_t copy = 0; copy < delivery.copies; ++copy) {
      latest = std::max(latest, delivery.at[copy]);
    }
  }
  EXPECT_NEAR(static_cast<double>(network.counts().lost), 1000, 150);
  EXPECT_NEAR(static_cast<double>(network.counts().duplicated), 1800, 200);
  EXPECT_NEAR(static_cast<double>(network.counts().replayed), 450, 100);
  EXPECT_GT(latest, 1'000'000) << "an old message comes again";
  network.calm();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(network.send(0, 1, kBytes, i).copies, 1u);
}

TEST(Network, ASlowLinkCarriesOneByteAfterTheOther) {
  NetworkPlan plan;
  plan.bytes_per_ms = 100;
  Network network(plan, 2, 1);
  EXPECT_GE(network.send(0, 1, 5000, 0).at[0], 50'000);
  EXPECT_GE(network.send(0, 1, 5000, 0).at[0], 100'000);
  EXPECT_LT(network.send(1, 0, 100, 0).at[0], 10'000) << "links have their own bandwidth";
  EXPECT_EQ(network.counts().slowed, 1u);
}

TEST(Network, ACloggedLinkDeliversLater) {
  Network network(NetworkPlan(), 2, 1);
  network.clog(0, 1, 500'000);
  EXPECT_GE(network.send(0, 1, kBytes, 0).at[0], 500'000);
  EXPECT_LT(network.send(1, 0, kBytes, 0).at[0], 10'000);
  EXPECT_LT(network.send(0, 1, kBytes, 600'000).at[0], 610'000);
  EXPECT_EQ(network.counts().clogged, 1u);
}

TEST(Network, CutLinksCarryNothing) {
  Network network(NetworkPlan(), 3, 1);
  std::vector<bool> cut(9, false);
  cut[0 * 3 + 2] = true;
  network.cut(cut);
  EXPECT_EQ(network.send(0, 2, kBytes, 0).copies, 0u);
  EXPECT_EQ(network.send(2, 0, kBytes, 0).copies, 1u);
  EXPECT_EQ(network.send(0, 1, kBytes, 0).copies, 1u);
  network.heal();
  EXPECT_EQ(network.send(0, 2, kBytes, 0).copies, 1u);
}

/// How many nodes `from` reaches over any number of links.
size_t reachable(const std::vector<bool>& cut, size_t nodes, size_t from) {
  std::vector<bool> seen(nodes, false);
  std::vector<size_t> todo{from};
  seen[from] = true;
  size_t count = 0;
  while (!todo.empty()) {
    const size_t at = todo.back();
    todo.pop_back();
    ++count;
    for (size_t to = 0; to < nodes; ++to) {
      if (seen[to] || cut[at * nodes + to]) continue;
      seen[to] = true;
      todo.push_back(to);
    }
  }
  return count;
}

TEST(Partition, KindsAreWhatTheirNamesSay) {
  constexpr size_t kNodes = 8;
  Random random(3);
  for (int round = 0; round < 50; ++round) {
    const auto cut = [&random](Partition kind) { return cut_links(kind, 6, kNodes, random); };
    const auto symmetric = [](const std::vector<bool>& links) {
      for (size_t a = 0; a < kNodes; ++a) {
        for (size_t b = 0; b < kNodes; ++b) {
          if (links[a * kNodes + b] != links[b * kNodes + a]) return false;
        }
      }
      return true;
    };
    const auto lone = cut(Partition::kLone);
    EXPECT_EQ(std::count(lone.begin(), lone.end(), true), 2 * (kNodes - 1));
    EXPECT_TRUE(symmetric(lone));
    EXPECT_TRUE(symmetric(cut(Partition::kHalf)));
    EXPECT_EQ(reachable(cut(Partition::kBridge), kNodes, 0), kNodes);
    const auto ring = cut(Partition::kRing);
    EXPECT_EQ(reachable(ring, kNodes, 0), kNodes);
    EXPECT_EQ(std::count(ring.begin(), ring.end(), true), kNodes * (kNodes - 3));
    const auto one_way = cut(Partition::kOneWay);
    for (size_t a = 0; a < kNodes; ++a) {
      for (size_t b = 0; b < kNodes; ++b) {
        EXPECT_FALSE(one_way[a * kNodes + b] && one_way[b * kNodes + a]);
      }
    }
    const auto half_open = cut(Partition::kHalfOpen);
    EXPECT_LT(std::count(half_open.begin(), half_open.end(), true), 30);
  }
}

}  // namespace
}  // namespace eve::sim
