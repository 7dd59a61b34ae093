#include "runtime/pair_memory.h"

#include <cstring>
#include <utility>

#include "crypto/keys.h"
#include "journal/log_writer.h"

namespace eve::runtime {
namespace {

uint64_t life_of(const journal::Life& log) {
  uint64_t life = 0;
  static_assert(sizeof log >= sizeof life);
  std::memcpy(&life, log.data(), sizeof life);
  return life != 0 ? life : 1;
}

PairMemory from(ExecutorMemory memory) {
  const uint64_t life = life_of(memory.keeper->life());
  return {std::move(memory.disk), std::move(memory.keeper), std::move(memory.opened.recorder), life,
          std::move(memory.opened.recovered)};
}

Status set_aside(const ExecutorMemoryOptions& wanted, uint16_t index) {
  auto disk = PosixDisk::open_directory(wanted.directory / to_string(Address::executor(index)));
  if (!disk) return disk.status();
  return journal::set_aside_log(**disk, kExecutorLog);
}

}  // namespace

uint64_t draw_life() {
  uint64_t life = 0;
  while (life == 0) {
    const auto random = crypto::random_secret();
    std::memcpy(&life, random.data(), sizeof life);
  }
  return life;
}

Result<PairMemory> open_pair_memory(const ExecutorMemoryOptions& wanted, uint16_t index,
                                    const crypto::Digest& genesis, ExecutionStage& stage,
                                    bool anew) {
  if (!anew) {
    auto memory = open_executor_memory(wanted, index, genesis, stage);
    if (!memory) return memory.error();
    if (!memory->opened.restarted) return from(std::move(*memory));
  }
  // Of a state that may lack something nothing is kept: what the record says of it is no longer so.
  if (auto status = set_aside(wanted, index); !status) return Error{status.message()};
  auto memory = open_executor_memory(wanted, index, genesis, stage);
  if (!memory) return memory.error();
  const auto kept =
      memory->keeper->keep({{durability::kRemembered, 0, {}}}, durability::Keeper::Until::kDurable);
  if (!kept) return Error{kept.message()};
  memory->opened.recovered.reset();
  return from(std::move(*memory));
}

}  // namespace eve::runtime
