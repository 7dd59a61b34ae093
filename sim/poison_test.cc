// Requests on which replicas never agree stop nobody (trap 10): seeds with every kind of fault, and
// the cases by name.
#include "sim/poison.h"

#include <gtest/gtest.h>

#include <tuple>

#include "sim/run_seed.h"
#include "sim/violation.h"
#include "sim/world.h"

namespace eve::sim {
namespace {

enum class Trouble { kNone, kExecutorDown, kExecutorLies };

using Case = std::tuple<uint32_t, Trouble>;

class PoisonedSeeds : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Cases, PoisonedSeeds,
                         ::testing::Values(Case(0, Trouble::kNone), Case(1, Trouble::kNone),
                                           Case(0, Trouble::kExecutorDown),
                                           Case(1, Trouble::kExecutorDown),
                                           Case(1, Trouble::kExecutorLies)));

/// The trouble lasts until the requests must have been answered; the world throws if they are not.
Plan troubled(uint64_t seed, uint32_t r, Trouble trouble) {
  Options options;
  options.model = FaultModel(1, r);
  options.service = "poison";
  Plan plan = make_plan(seed, options);
  plan.faults = {};
  plan.byzantine = {};
  plan.network.loss_per_mille = 0;
  plan.load_us = 1'000'000;
  plan.faults_until_us = 60'000'000;
  plan.duration_us = 60'000'000;
  if (trouble == Trouble::kExecutorDown) {
    plan.faults.executor_crash_every_us = 300'000;
    plan.faults.down_us = 500'000'000;
  }
  if (trouble == Trouble::kExecutorLies) {
    plan.byzantine.executors = 1;
    plan.byzantine.to_the_end = true;
  }
  return plan;
}

TEST_P(PoisonedSeeds, EndQuarantinedWhileAllOthersAreAnswered) {
  const auto [r, trouble] = GetParam();
  Fibers fibers(kWorkers);
  uint64_t quarantined = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    World world(troubled(seed, r, trouble), fibers, nullptr);
    try {
      world.run();
    } catch (const Violation& violation) {
      ADD_FAILURE() << "seed " << seed << ": " << violation.what() << '\n'
                    << world.describe_nodes();
    }
    quarantined += world.quarantined();
    EXPECT_LT(world.answered_at(), 30'000'000) << "seed " << seed;
  }
  EXPECT_GT(quarantined, 0u);
}

TEST(PoisonedSeeds, SurviveAllKindsOfFaults) {
  Fibers fibers(kWorkers);
  for (const uint32_t r : {0u, 1u}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      Options options;
      options.model = FaultModel(1, r);
      options.service = "poison";
      const Outcome outcome = run_seed(seed, options, fibers, nullptr);
      EXPECT_TRUE(outcome.ok) << outcome.failure;
    }
  }
}

}  // namespace
}  // namespace eve::sim
