#include "runtime/executor_memory.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "runtime/log.h"
#include "runtime/node_log.h"
#include "runtime/promise_file.h"

namespace eve::runtime {
namespace {

constexpr uint64_t kLeastSegmentBytes = uint64_t{512} << 10;
constexpr uint64_t kMostSegmentBytes = uint64_t{64} << 20;

TimeUs steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<ExecutorMemory> open_executor_memory(const ExecutorMemoryOptions& wanted, Address node,
                                            const crypto::Digest& genesis,
                                            const crypto::Digester& digester, ExecutionStage& stage,
                                            const durability::PresentEpoch& present) {
  const std::string role = to_string(node);
  auto ran = has_started(wanted.directory, role);
  if (!ran) return ran.error();
  auto disk = PosixDisk::open_directory(wanted.directory / role);
  if (!disk) return disk.error();
  ExecutorMemory memory{std::move(*disk), nullptr, {}, nullptr};
  auto options = node_log(kExecutorLog, wanted.cluster, node);
  options.durability = wanted.durability;
  options.log.low_bytes = wanted.headroom_bytes;
  // Cut is by whole segments: with two of them what is not needed is less than half as much again.
  options.log.segment_bytes =
      std::clamp(wanted.checkpoint.least_log_bytes / 2, kLeastSegmentBytes, kMostSegmentBytes);
  const durability::ExecutorLogAccess log{
      [&](bool ran_before, durability::NoteVisitor& visitor, durability::Found& found) {
        options.ran_before = ran_before;
        auto keeper = durability::Keeper::open(*memory.disk, options, visitor, found);
        if (keeper.ok()) memory.keeper = std::move(*keeper);
        return keeper.status();
      },
      [&](const std::string& why) {
        return durability::give_up_log(*memory.disk, kExecutorLog, why);
      },
      memory.disk.get(), options.log.owner, wanted.begin};
  auto opened = stage.recover(log, *ran, genesis, present);
  if (!opened) return opened.error();
  memory.opened = std::move(*opened);
  if (!memory.opened.trouble.empty()) {
    eve::runtime::log(LogLevel::kError, "memory_lost",
                      {{"role", role}, {"reason", memory.opened.trouble}});
  }
  for (const std::string& trouble : memory.opened.checkpoint_troubles) {
    eve::runtime::log(LogLevel::kWarn, "checkpoint_unusable",
                      {{"role", role}, {"reason", trouble}});
  }
  const auto kept = memory.keeper->keep(std::move(memory.opened.opening_notes),
                                        durability::Keeper::Until::kDurable);
  if (!kept) return Error{kept.message()};
  // Not before there is a log: who was killed in between has said nothing.
  if (auto marked = mark_started(wanted.directory, role); !marked) return marked.error();
  durability::CheckpointOptions taking;
  taking.header = {options.log.owner, memory.keeper->life(), genesis, 0};
  taking.policy = wanted.checkpoint;
  // Well below where the disk is low: a finished checkpoint is what makes room then.
  taking.file.keep_free_bytes = wanted.headroom_bytes / 4;
  memory.checkpoints = std::make_unique<durability::ExecutorCheckpoints>(
      *memory.disk, digester, *memory.opened.places, taking, steady_us);
  if (memory.opened.in_pieces) memory.checkpoints->taker().want();
  return memory;
}

Result<bool> start_without_memory(const std::filesystem::path& directory, Address node) {
  const auto logs = directory / to_string(node);
  std::error_code error;
  const bool kept = std::filesystem::exists(logs, error);
  if (error) return Error{logs.string() + ": " + error.message()};
  if (kept) {
    return Error{logs.string() +
                 " holds the log of a run with another durability, which would not know of this "
                 "one; start with --durability sync, or move that directory away"};
  }
  return mark_started(directory, to_string(node));
}

}  // namespace eve::runtime
