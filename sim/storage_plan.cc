#include "sim/storage_plan.h"

namespace eve::sim {

using durability::Durability;

StoragePlan StoragePlan::draw(Random& random, StorageChoice choice) {
  StoragePlan plan;
  const bool memory = random.chance(1, 3);
  if (choice == StorageChoice::kMemory) return plan;
  if (choice == StorageChoice::kAny && memory) return plan;
  const bool async = choice == StorageChoice::kAny && random.chance(1, 4);
  plan.durability = async ? Durability::kAsync : Durability::kSync;
  plan.disk =
      DiskPlan::draw(random, random.chance(1, 3) ? DiskScope::kSound : DiskScope::kContract);
  plan.disk.sync_us = TimeUs{20} << random.below(11);
  // Where machines stop an async log may have lost what it said.
  const bool machines = async ? random.chance(1, 3) : random.chance(3, 4);
  if (machines) plan.machine_per_mille = static_cast<uint32_t>(random.below(1001));
  const bool survives = !async || plan.machine_per_mille == 0;
  if (survives && random.chance(1, 3)) {
    plan.together_every_us = 200'000 + static_cast<TimeUs>(random.below(1'500'000));
  }
  return plan;
}

std::string describe(const StoragePlan& plan) {
  if (!plan.lasting()) return "";
  std::string text =
      plan.durability == Durability::kSync ? " durability=sync" : " durability=async";
  if (plan.machine_per_mille > 0) {
    text += " machine_per_mille=" + std::to_string(plan.machine_per_mille);
  }
  if (plan.together_every_us > 0) {
    text += " together_every_us=" + std::to_string(plan.together_every_us);
  }
  const std::string faults = to_string(plan.disk);
  return faults.empty() ? text : text + " disk: " + faults;
}

}  // namespace eve::sim
