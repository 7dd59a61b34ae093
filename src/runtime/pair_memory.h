// The log of a primary-backup replica on a real disk (executor_memory.h), and the life of its state
// (docs/primary-backup.md, P13), which is the log's.
#pragma once

#include <cstdint>

#include "runtime/executor_memory.h"

namespace eve::runtime {

/// Random, and not 0.
uint64_t draw_life();

struct PairMemory {
  std::unique_ptr<PosixDisk> disk;
  std::unique_ptr<durability::Keeper> keeper;
  durability::OpenedExecutor opened;
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints;
  uint64_t life = 0;
  /// For Replica::recover(): what an earlier process of this life has left.
  std::optional<execution::Recovered> recovered;
};

/// Brings the stage to where the log ends. A log that is not whole, or that has been longer, is set
/// aside, and so is any log if `anew`: then the state is empty, and its life another one.
/// Precondition and errors as open_executor_memory().
Result<PairMemory> open_pair_memory(const ExecutorMemoryOptions& wanted, uint16_t index,
                                    const crypto::Digest& genesis, const crypto::Digester& digester,
                                    ExecutionStage& stage, bool anew);

}  // namespace eve::runtime
