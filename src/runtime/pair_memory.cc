#include "runtime/pair_memory.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "crypto/keys.h"
#include "runtime/files.h"
#include "runtime/log.h"

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
  auto recovered = std::move(memory.opened.recovered);
  return {std::move(memory.disk),
          std::move(memory.keeper),
          std::move(memory.opened),
          std::move(memory.checkpoints),
          life,
          std::move(recovered)};
}

/// How far the log of which life had come when it was opened last: beside the node's key, so that
/// an older copy of the node's own folder does not take it along.
struct Witness {
  uint64_t life = 0;
  uint64_t end = 0;
};

std::filesystem::path witness_file(const ExecutorMemoryOptions& wanted, uint16_t index) {
  return wanted.directory.parent_path() / (wanted.directory.filename().string() + "." +
                                           to_string(Address::executor(index)) + ".life");
}

/// Nullopt: there is none.
Result<std::optional<Witness>> read_witness(const std::filesystem::path& file) {
  std::error_code failed;
  const bool there = std::filesystem::exists(file, failed);
  if (failed) return Error{file.string() + ": cannot examine it: " + failed.message()};
  if (!there) return std::optional<Witness>();
  auto text = read_file(file);
  if (!text) return text.error();
  Witness witness;
  const char* end = text->data() + text->size();
  const auto life = std::from_chars(text->data(), end, witness.life);
  const bool space = life.ec == std::errc() && life.ptr != end && *life.ptr == ' ';
  const auto position = std::from_chars(life.ptr + (space ? 1 : 0), end, witness.end);
  if (!space || position.ec != std::errc()) {
    return Error{file.string() +
                 ": does not say how far the log had come; remove it, if the node's folder is not "
                 "a copy"};
  }
  return std::optional(witness);
}

Status write_witness(const std::filesystem::path& file, const Witness& witness) {
  return replace_file(file,
                      std::to_string(witness.life) + " " + std::to_string(witness.end) + "\n");
}

Status set_aside(const ExecutorMemoryOptions& wanted, uint16_t index, const std::string& why) {
  auto disk = PosixDisk::open_directory(wanted.directory / to_string(Address::executor(index)));
  if (!disk) return disk.status();
  return durability::give_up_log(**disk, kExecutorLog, why);
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
                                    const crypto::Digest& genesis, const crypto::Digester& digester,
                                    ExecutionStage& stage, bool anew) {
  const auto file = witness_file(wanted, index);
  std::string why = "it was to begin anew";
  if (!anew) {
    const auto witness = read_witness(file);
    if (!witness) return witness.error();
    auto memory = open_executor_memory(wanted, Address::executor(index), genesis, digester, stage);
    if (!memory) return memory.error();
    const Witness found{life_of(memory->keeper->life()), memory->keeper->end().value()};
    const bool older = *witness && ((*witness)->life != found.life || (*witness)->end > found.end);
    why = memory->opened.trouble;
    if (older && !memory->opened.restarted) {
      why = "the log is an older one than " + file.string() + " tells of";
      log(LogLevel::kError, "memory_lost",
          {{"role", to_string(Address::executor(index))}, {"reason", why}});
    }
    if (!memory->opened.restarted && !older) {
      if (auto status = write_witness(file, found); !status) return Error{status.message()};
      return from(std::move(*memory));
    }
  }
  // Of a state that may lack something nothing is kept: what the record says of it is no longer so.
  if (auto status = set_aside(wanted, index, why); !status) return Error{status.message()};
  auto memory = open_executor_memory(wanted, Address::executor(index), genesis, digester, stage);
  if (!memory) return memory.error();
  const auto kept =
      memory->keeper->keep({{durability::kRemembered, 0, {}}}, durability::Keeper::Until::kDurable);
  if (!kept) return Error{kept.message()};
  const Witness begun{life_of(memory->keeper->life()), memory->keeper->end().value()};
  if (auto status = write_witness(file, begun); !status) return Error{status.message()};
  memory->opened.recovered.reset();
  return from(std::move(*memory));
}

}  // namespace eve::runtime
