// Each strategy alone, twins, amnesia, and what is beyond the fault model, over whole runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "sim/adversary/catalogue.h"
#include "sim/byzantine_command.h"
#include "sim/run_seed.h"

namespace eve::sim {
namespace {

// Sanitizer builds are 10 to 40 times slower, and look for faults in the code: a few seeds will do.
// Whether each strategy acts is for the others to see.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr uint64_t few(uint64_t seeds) {
  constexpr uint64_t kShare = 15;
  return kSanitized ? 1 + seeds / kShare : seeds;
}

Options options(FaultModel model, const ByzantineOptions& byzantine, TimeUs duration_us) {
  Options made;
  made.model = model;
  made.duration_us = duration_us;
  made.byzantine = byzantine;
  return made;
}

Statistics run_all(uint64_t first, uint64_t seeds, const Options& with) {
  static Fibers fibers(kWorkers);
  Statistics total;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const Outcome outcome = run_seed(seed, with, fibers, nullptr);
    EXPECT_TRUE(outcome.ok) << "seed " << seed << ": " << outcome.failure << describe(outcome.plan);
    total += outcome.statistics;
  }
  return total;
}

Statistics run_strategy(FaultModel model, const std::string& name, uint64_t first, uint64_t seeds) {
  ByzantineOptions byzantine;
  byzantine.strategy = name;
  return run_all(first, seeds, options(model, byzantine, 2'000'000));
}

/// A strategy that does nothing tests nothing: all must have touched messages.
void run_each(FaultModel model, uint64_t seeds) {
  adversary::DeedsByName deeds;
  for (const adversary::Entry& entry : adversary::catalogue()) {
    const Statistics total = run_strategy(model, entry.name, 1, seeds);
    const auto found = total.strategies.find(entry.name);
    ASSERT_NE(found, total.strategies.end()) << entry.name;
    if (kSanitized) continue;
    EXPECT_GT(found->second.touched, 0u) << entry.name;
    deeds[entry.name] = found->second;
  }
  print_table(deeds, std::cout);
}

TEST(Byzantine, EachStrategyAlone) {
  run_each(FaultModel(1, 1), few(10));
}

/// What was signed in a session that has expired comes again (trap 9).
TEST(Byzantine, OldBundlesAfterTheirSessionsExpired) {
  for (const char* name : {"old-bundles", "stale-bundles"}) {
    EXPECT_GT(run_strategy(FaultModel(1, 1), name, 100, 12).expiries, 0u) << name;
  }
}

TEST(Byzantine, EachStrategyAloneInLargerClusters) {
  for (const FaultModel model : {FaultModel(2, 1), FaultModel(2, 2)}) {
    if (kSanitized && model.r() == 1) continue;
    for (const adversary::Entry& entry : adversary::catalogue()) {
      run_strategy(model, entry.name, 50, 1);
    }
  }
}

/// Of two liars each may use one, or both both; in the larger cluster.
TEST(Byzantine, APairOfStrategiesMeansBothOrOneEach) {
  bool apart = false;
  bool together = false;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    ByzantineOptions pair;
    pair.strategy = "late-token+wrong-reply";
    const Statistics total = run_all(seed, 1, options(FaultModel(2, 2), pair, 500'000));
    const uint64_t nodes = total.strategies.at("late-token").nodes;
    EXPECT_EQ(total.strategies.at("wrong-reply").nodes, nodes);
    apart = apart || nodes == 1;
    together = together || nodes == 2;
  }
  EXPECT_TRUE(apart && together);
}

TEST(Byzantine, TwinsOfExecutorsAndVerifiers) {
  ByzantineOptions twins;
  twins.twins = true;
  const Statistics total = run_all(1, few(1500), options(FaultModel(1, 1), twins, 1'000'000));
  EXPECT_GT(total.kept_apart, few(100'000));
  EXPECT_GT(total.view_changes, few(300));
  run_all(1, few(30), options(FaultModel(2, 2), twins, 1'000'000));
}

TEST(Byzantine, Amnesia) {
  ByzantineOptions amnesia;
  amnesia.amnesia = true;
  const Statistics total = run_all(1, 40, options(FaultModel(1, 1), amnesia, 3'000'000));
  EXPECT_GT(total.amnesias, 200u);
}

TEST(Byzantine, BeyondTheModelNobodyCrashesAndNothingGrows) {
  ByzantineOptions beyond;
  beyond.beyond = true;
  const Statistics total = run_all(1, few(60), options(FaultModel(1, 1), beyond, 2'000'000));
  EXPECT_GT(total.lies, few(10'000));
  run_all(1, few(20), options(FaultModel(2, 1), beyond, 2'000'000));
}

TEST(Byzantine, PlansStayWithinTheModelUnlessAskedToLeaveIt) {
  Random random(5);
  bool expiry = false;
  for (int i = 0; i < 2000; ++i) {
    for (const FaultModel model : {FaultModel(1, 0), FaultModel(1, 1), FaultModel(3, 2)}) {
      const ByzantinePlan plan = make_byzantine(random, model, {});
      EXPECT_LE(plan.executors, model.r());
      EXPECT_LE(plan.verifiers, model.r());
      EXPECT_EQ(plan.promise, Promise::kAll);
      expiry = expiry || plan.expiry;
    }
    ByzantineOptions beyond;
    beyond.beyond = true;
    const FaultModel model(3, 2);
    const ByzantinePlan plan = make_byzantine(random, model, beyond);
    const uint32_t most = std::max(plan.executors, plan.verifiers);
    EXPECT_GT(most, plan.promise == Promise::kSafety ? model.u() : model.r());
    EXPECT_LE(plan.executors, model.executors());
    EXPECT_LE(plan.verifiers, model.verifiers());
  }
  EXPECT_TRUE(expiry);
}

TEST(Byzantine, EqualSeedsGiveEqualRuns) {
  Fibers fibers(kWorkers);
  for (int mode = 0; mode < 4; ++mode) {
    ByzantineOptions how;
    how.twins = mode == 0;
    how.amnesia = mode == 1;
    how.beyond = mode == 2;
    if (mode == 3) how.strategy = "off-by-one";
    const Options with = options(FaultModel(1, 1), how, 1'000'000);
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      EXPECT_EQ(run_seed(seed, with, fibers, nullptr).trace_digest,
                run_seed(seed, with, fibers, nullptr).trace_digest);
    }
  }
}

}  // namespace
}  // namespace eve::sim
