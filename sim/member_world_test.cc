// Clusters whose nodes are replaced (docs/membership.md), in seeds.
#include "sim/member_world.h"

#include <gtest/gtest.h>

#include "sim/run_seed.h"

namespace eve::sim {
namespace {

Options options(uint32_t r) {
  Options options;
  options.model = FaultModel(1, r);
  options.members = true;
  return options;
}

void run_seeds(uint64_t first, uint64_t count, uint32_t r) {
  Fibers fibers(4);
  Statistics all;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = run_seed(seed, options(r), fibers, nullptr);
    ASSERT_TRUE(outcome.ok) << "seed " << seed << ": " << outcome.failure << describe(outcome.plan);
    EXPECT_GT(outcome.statistics.epochs, 0u) << "seed " << seed;
    all += outcome.statistics;
  }
  EXPECT_GE(all.epochs, 3 * count / 2) << "one to three changes a seed";
  EXPECT_GT(all.transfers, count) << "who comes fetches the state";
  EXPECT_GT(all.requests, 10 * count);
}

TEST(MemberWorld, NodesThatCrashAreReplaced) {
  run_seeds(1, 40, 0);
}

TEST(MemberWorld, NodesThatLieAreReplacedAndGoOnLying) {
  run_seeds(1, 40, 1);
}

TEST(MemberWorld, TheSameSeedReplays) {
  Fibers fibers(4);
  for (const uint32_t r : {0u, 1u}) {
    const Outcome once = run_seed(7, options(r), fibers, nullptr);
    const Outcome again = run_seed(7, options(r), fibers, nullptr);
    EXPECT_EQ(once.trace_digest, again.trace_digest);
    EXPECT_NE(once.trace_digest, run_seed(8, options(r), fibers, nullptr).trace_digest);
  }
}

}  // namespace
}  // namespace eve::sim
