// What nodes keep, and what becomes of their disks.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "durability/keeper.h"
#include "sim/disk_plan.h"

namespace eve::sim {

/// What the command line fixes of it.
enum class StorageChoice : uint8_t { kAny, kMemory, kSync };

struct StoragePlan {
  durability::Durability durability = durability::Durability::kMemory;
  DiskPlan disk;
  uint32_t machine_per_mille = 0;  ///< crashes that take the machine along
  /// Mean time between crashes of all who keep what they must at once; 0: never.
  TimeUs together_every_us = 0;

  bool lasting() const { return durability != durability::Durability::kMemory; }
  /// Verifiers keep all that they promise; else their highest view alone, on an ideal disk.
  bool verifiers_too() const { return durability == durability::Durability::kSync; }

  static StoragePlan draw(Random& random, StorageChoice choice);
};

/// " durability=sync ..."; empty for memory.
std::string describe(const StoragePlan& plan);

}  // namespace eve::sim
