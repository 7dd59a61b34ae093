#include "sim/campaign.h"

#include <gtest/gtest.h>

#include <vector>

namespace eve::sim {
namespace {

std::vector<std::pair<uint64_t, uint64_t>> hashes(size_t jobs) {
  Campaign campaign;
  campaign.options.duration_us = 300'000;
  campaign.seeds = 12;
  campaign.jobs = jobs;
  std::vector<std::pair<uint64_t, uint64_t>> all;
  run(campaign, [&all](uint64_t seed, const Outcome& outcome) {
    EXPECT_TRUE(outcome.ok) << outcome.failure;
    all.emplace_back(seed, outcome.trace_digest);
  });
  return all;
}

TEST(Campaign, TheNumberOfThreadsChangesNothing) {
  const auto alone = hashes(1);
  ASSERT_EQ(alone.size(), 12u);
  EXPECT_EQ(alone.front().first, 1u);
  EXPECT_EQ(hashes(3), alone);
  EXPECT_EQ(hashes(0), alone);
}

TEST(Campaign, SeedsTakeTurnsWithStrategies) {
  Campaign campaign;
  campaign.first_seed = 7;
  campaign.options.byzantine.strategy = "mute";
  EXPECT_EQ(campaign.options_for(8).byzantine.strategy, "mute");
  campaign.strategies = {"no-token", "two-bodies+mute"};
  EXPECT_EQ(campaign.options_for(7).byzantine.strategy, "no-token");
  EXPECT_EQ(campaign.options_for(8).byzantine.strategy, "two-bodies+mute");
  EXPECT_EQ(campaign.options_for(9).byzantine.strategy, "no-token");
}

}  // namespace
}  // namespace eve::sim
