// What nodes keep, and what becomes of their disks.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/random.h"
#include "durability/keeper.h"
#include "sim/disk_plan.h"

namespace eve::sim {

/// What the command line fixes of it.
enum class StorageChoice : uint8_t { kAny, kMemory, kSync, kDamaged };

struct StoragePlan {
  durability::Durability durability = durability::Durability::kMemory;
  DiskPlan disk;
  uint32_t machine_per_mille = 0;  ///< crashes that take the machine along
  /// Mean time between crashes of all who keep what they must at once; 0: never.
  TimeUs together_every_us = 0;
  /// Executors, and verifiers, whose disks lose and spoil what they hold as `damage` says: so many,
  /// from this index on. They count as faulty all along.
  uint32_t damaged = 0;
  uint16_t first_damaged = 0;
  DiskPlan damage;

  bool lasting() const { return durability != durability::Durability::kMemory; }
  /// Verifiers keep all that they promise; else their highest view alone, on an ideal disk.
  bool verifiers_too() const { return durability == durability::Durability::kSync; }

  bool is_damaged(Address node, const FaultModel& model) const;
  /// As it is for one node.
  StoragePlan of(Address node, const FaultModel& model) const;

  static StoragePlan draw(Random& random, StorageChoice choice);
  /// Damages the disks of `most` executors and verifiers, from `first` on.
  void draw_damage(Random& random, uint32_t most, uint16_t first);
};

/// " durability=sync ..."; empty for memory.
std::string describe(const StoragePlan& plan);

}  // namespace eve::sim
