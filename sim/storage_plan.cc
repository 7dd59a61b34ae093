#include "sim/storage_plan.h"

namespace eve::sim {

using durability::Durability;

namespace {

constexpr uint32_t kMoreDamage = 10;

}  // namespace

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

bool StoragePlan::is_damaged(Address node, const FaultModel& model) const {
  const uint32_t nodes = node.role == Role::kExecutor ? model.executors() : model.verifiers();
  return (node.index + nodes - first_damaged % nodes) % nodes < damaged;
}

StoragePlan StoragePlan::of(Address node, const FaultModel& model) const {
  StoragePlan own = *this;
  const bool bad = is_damaged(node, model);
  own.damaged = bad ? 1 : 0;
  if (bad) own.disk = damage;
  return own;
}

// What a node can notice by itself. Of a write that is lost, or lands elsewhere, and is the newest,
// of an old copy and of files that are gone nobody can tell who has only this disk: who comes back
// so is one that lies (docs/simulator.md, amnesia).
void StoragePlan::draw_damage(Random& random, uint32_t most, uint16_t first) {
  damaged = most;
  first_damaged = first;
  damage = DiskPlan::draw(random, DiskScope::kDamage);
  damage.sync_us = disk.sync_us;
  for (const DiskFault fault : {DiskFault::kLostWrite, DiskFault::kMisdirected, DiskFault::kOldCopy,
                                DiskFault::kFilesLost}) {
    damage[fault] = 0;
  }
  // A node's log sees few operations in a seed, and is read only when it starts or mends.
  for (const DiskFault fault : {DiskFault::kRotAtRest, DiskFault::kRotAtRead, DiskFault::kBadSector,
                                DiskFault::kSyncFails}) {
    damage[fault] *= kMoreDamage;
  }
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
  if (!faults.empty()) text += " disk: " + faults;
  if (plan.damaged == 0) return text;
  return text + " damaged=" + std::to_string(plan.damaged) + " from " +
         std::to_string(plan.first_damaged) + ": " + to_string(plan.damage);
}

}  // namespace eve::sim
