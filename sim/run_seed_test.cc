#include "sim/run_seed.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "base/limits.h"
#include "sim/workload.h"

namespace eve::sim {
namespace {

Options options(FaultModel model, const char* service, TimeUs duration_us = 2'000'000) {
  Options made;
  made.model = model;
  made.service = service;
  made.duration_us = duration_us;
  return made;
}

TEST(RunSeed, TheSameSeedReplays) {
  Fibers fibers(kWorkers);
  for (const FaultModel model : {FaultModel(1, 0), FaultModel(1, 1)}) {
    for (const char* service : {"bank", "racing", "kv"}) {
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        const Outcome first = run_seed(seed, options(model, service), fibers, nullptr);
        const Outcome second = run_seed(seed, options(model, service), fibers, nullptr);
        EXPECT_TRUE(first.ok) << first.failure;
        EXPECT_EQ(first.trace_digest, second.trace_digest) << service << ' ' << seed;
        EXPECT_EQ(first.statistics.events, second.statistics.events);
        const Outcome other = run_seed(seed + 100, options(model, service), fibers, nullptr);
        EXPECT_NE(first.trace_digest, other.trace_digest);
      }
    }
  }
}

TEST(RunSeed, RacesDivergeAndAreRepaired) {
  Fibers fibers(kWorkers);
  Statistics total;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome outcome = run_seed(seed, options(FaultModel(1, 1), "racing"), fibers, nullptr);
    EXPECT_TRUE(outcome.ok) << outcome.failure;
    total += outcome.statistics;
  }
  EXPECT_GT(total.divergences, 0u);
  EXPECT_GT(total.rollbacks + total.repairs, 0u);
}

TEST(RunSeed, LongSleepsAreCountedApart) {
  Fibers fibers(kWorkers);
  const Options wanted = options(FaultModel(1, 0), "bank", 500'000);
  const auto sleeper = [&wanted](const auto& is) {
    uint64_t seed = 1;
    while (!is(make_plan(seed, wanted))) ++seed;
    return seed;
  };
  for (const uint64_t seed :
       {sleeper([](const Plan& plan) { return plan.sleep_us > 0; }), sleeper([](const Plan& plan) {
          return plan.faults.long_pause_us > 60'000'000 && !plan.faults.too_many;
        })}) {
    const Outcome outcome = run_seed(seed, wanted, fibers, nullptr);
    EXPECT_TRUE(outcome.ok) << outcome.failure;
    EXPECT_EQ(outcome.statistics.slept_us, static_cast<uint64_t>(outcome.plan.slept_us()));
    EXPECT_GE(outcome.statistics.virtual_us, 500'000u);
    EXPECT_LT(outcome.statistics.virtual_us, 60'000'000u);
    EXPECT_GT(outcome.statistics.asking_us, 0u);
    EXPECT_LE(outcome.statistics.asking_us, 600'000u) << "bursts follow each other closely";
  }
}

TEST(RunSeed, ManyKindsOfFaultsHappenInFewSeeds) {
  Fibers fibers(kWorkers);
  Statistics total;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const Outcome outcome = run_seed(seed, options(FaultModel(1, 1), ""), fibers, nullptr);
    EXPECT_TRUE(outcome.ok) << outcome.failure;
    total += outcome.statistics;
  }
  size_t silent = 0;
  total.sites.for_each_silent(/*members=*/false, [&silent](const char*) { ++silent; });
  size_t all = 0;
  for (size_t i = 0; i < Sites::kNumber; ++i) all += is_of_members(static_cast<Site>(i)) ? 0 : 1;
  // All of them: tests/CMakeLists.txt, with more seeds.
  EXPECT_GT(all - silent, all * 3 / 4);
}

TEST(RunSeed, EveryFaultModelUpToThreeWorks) {
  Fibers fibers(kWorkers);
  for (uint32_t u = 1; u <= 3; ++u) {
    for (uint32_t r = 0; r <= u; ++r) {
      for (uint64_t seed = 1; seed <= 2; ++seed) {
        const Outcome outcome =
            run_seed(seed, options(FaultModel(u, r), "", 1'000'000), fibers, nullptr);
        EXPECT_TRUE(outcome.ok) << "u=" << u << " r=" << r << ' ' << outcome.failure;
      }
    }
  }
}

TEST(RunSeed, EveryServiceIsServed) {
  Fibers fibers(kWorkers);
  for (const std::string& service : workload_names()) {
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      const Outcome outcome =
          run_seed(seed, options(FaultModel(1, 1), service.c_str(), 1'000'000), fibers, nullptr);
      EXPECT_TRUE(outcome.ok) << service << ' ' << outcome.failure;
      EXPECT_GT(outcome.statistics.requests, 0u);
    }
  }
}

TEST(RunSeed, TheTraceIsReadable) {
  Fibers fibers(kWorkers);
  std::ostringstream text;
  const auto few = options(FaultModel(1, 1), "bank", 300'000);
  const Outcome traced = run_seed(3, few, fibers, &text);
  EXPECT_NE(text.str().find("Commit verdict view 0 number 1"), std::string::npos);
  EXPECT_EQ(traced.trace_digest, run_seed(3, few, fibers, nullptr).trace_digest);
}

}  // namespace
}  // namespace eve::sim
