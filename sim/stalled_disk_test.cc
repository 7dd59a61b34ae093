// Disks that stall, or spoil what they hold, under nodes.
#include <gtest/gtest.h>

#include "sim/run_seed.h"
#include "sim/world.h"

namespace eve::sim {
namespace {

/// Nothing goes wrong but that the disks of executor 0, who leads first, and of verifier 0 stall.
Plan stalling(uint64_t seed, FaultModel model) {
  Options options;
  options.model = model;
  options.service = "bank";
  options.duration_us = 6'000'000;
  options.storage = StorageChoice::kSync;
  Plan plan = make_plan(seed, options);
  plan.network = {};
  plan.faults = {};
  plan.byzantine = {};
  plan.clocks = {};
  plan.mixed_patience = plan.real_signatures = false;
  plan.load_us = options.duration_us / 2;
  plan.sleep_us = 0;
  plan.storage.disk = plan.storage.damage = {};
  plan.storage.together_every_us = 0;
  plan.storage.machine_per_mille = 0;
  plan.storage.damaged = 1;
  plan.storage.damage[DiskFault::kStall] = 20'000;
  return plan;
}

// As long as it takes to see it (DiskPace), to start a view, and to hear of what only the old
// primary had; and once more for a stall that hits amid that. Stalls last up to 40 s.
TEST(StalledDisk, CostsClientsLittleThoughItIsThePrimarys) {
  constexpr TimeUs kMost = 3'000'000;
  Fibers fibers(kWorkers);
  uint64_t slow = 0;
  uint64_t left = 0;
  for (const FaultModel model : {FaultModel(1, 0), FaultModel(1, 1), FaultModel(2, 1)}) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      const Plan plan = stalling(seed, model);
      World world(plan, fibers, nullptr);
      world.run();
      EXPECT_LE(world.answered_at(), plan.load_us + kMost) << "seed " << seed;
      slow += world.statistics().sites.count(Site::kDiskTooSlow);
      left += world.statistics().sites.count(Site::kLeadLeft);
    }
  }
  EXPECT_GE(slow, 12u);
  EXPECT_GE(left, 12u) << "executor 0 leads when its disk stalls first";
}

TEST(DamagedDisks, AreOfUNodesThatDoNotLie) {
  Options options;
  options.storage = StorageChoice::kDamaged;
  size_t damaged = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    options.model = seed % 2 == 0 ? FaultModel(1, 0) : FaultModel(2, 1);
    const Plan plan = make_plan(seed, options);
    const uint32_t most = std::max(plan.byzantine.executors, plan.byzantine.verifiers);
    if (plan.storage.damaged == 0) continue;
    ++damaged;
    EXPECT_EQ(plan.storage.damaged + most, plan.model.u());
    for (const DiskFault beyond : {DiskFault::kOldCopy, DiskFault::kFilesLost,
                                   DiskFault::kLostWrite, DiskFault::kMisdirected}) {
      EXPECT_EQ(plan.storage.damage[beyond], 0u);
    }
    uint32_t executors = 0;
    for (uint16_t i = 0; i < plan.model.executors(); ++i) {
      const Address node = Address::executor(i);
      const bool bad = plan.storage.is_damaged(node, plan.model);
      EXPECT_FALSE(bad && plan.byzantine.faulty(node, plan.model));
      EXPECT_EQ(plan.storage.of(node, plan.model).damaged, bad ? 1u : 0u);
      executors += bad ? 1 : 0;
    }
    EXPECT_EQ(executors, plan.storage.damaged);
  }
  EXPECT_GT(damaged, 80u);
}

}  // namespace
}  // namespace eve::sim
