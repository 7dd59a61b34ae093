// An executor's log on a real disk: DIRECTORY/NODE/executor-I/commands-*.log, checkpoint-*, and the
// marks executor-I.ran (promise_file.h), which say that there must be a log.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "durability/executor_checkpoints.h"
#include "durability/executor_log.h"
#include "durability/keeper.h"
#include "runtime/execution_stage.h"
#include "runtime/genesis.h"
#include "runtime/posix_disk.h"

namespace eve::runtime {

inline constexpr const char* kExecutorLog = "commands";

struct ExecutorMemory {
  std::unique_ptr<PosixDisk> disk;
  std::unique_ptr<durability::Keeper> keeper;
  durability::OpenedExecutor opened;
  /// On that disk, with the places of `opened`.
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints;
};

struct ExecutorMemoryOptions {
  std::filesystem::path directory;  ///< of the node's state
  std::string cluster;              ///< the cluster's id
  durability::Durability durability = durability::Durability::kMemory;
  uint64_t headroom_bytes = journal::LogOptions().low_bytes;  ///< less free on the disk is low
  durability::CheckpointPolicy checkpoint{};
  std::optional<crypto::Digest> genesis{};  ///< ClusterConfig's
  Begin begin{};
};

/// Brings the stage to where the log ends. Precondition: durability is not kMemory. Errors leave
/// everything as it was: the disk refuses, or the log is another node's, service's or release's.
/// `digester` outlives the result.
/// `node`: the role's address, for ever. `genesis`: the token of batch 0. `present`: the epoch,
/// which the log is brought to.
Result<ExecutorMemory> open_executor_memory(const ExecutorMemoryOptions& wanted, Address node,
                                            const crypto::Digest& genesis,
                                            const crypto::Digester& digester, ExecutionStage& stage,
                                            const durability::PresentEpoch& present = {});
/// For an executor that keeps nothing: whether it has run before. Error if there is a log here,
/// which would not know of what this one does.
Result<bool> start_without_memory(const std::filesystem::path& directory, Address node);

}  // namespace eve::runtime
