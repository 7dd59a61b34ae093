#include "runtime/verifier_memory.h"

#include <algorithm>
#include <utility>

#include "runtime/log.h"
#include "runtime/node_log.h"
#include "runtime/promise_file.h"

namespace eve::runtime {
namespace {

durability::KeeperOptions keeper_options(const VerifierMemoryOptions& wanted, Address address) {
  auto options = node_log("promises", wanted.cluster, address);
  // What cannot be cut is one segment: a few of the book's notes of everything.
  options.log.segment_bytes = uint64_t{4} << 20;
  options.log.reserve_bytes = uint64_t{1} << 20;
  // It is cut as it grows: so much room is enough for good.
  options.log.low_bytes = std::min(wanted.headroom_bytes, uint64_t{64} << 20);
  options.marks_highest = true;
  options.durability = durability::PromiseBook::of_log(wanted.durability);
  return options;
}

}  // namespace

Result<VerifierMemory> open_verifier_memory(const VerifierMemoryOptions& wanted,
                                            const verification::VerifierOptions& options,
                                            const crypto::Digester& digester) {
  const std::string place = name_in(wanted.node, wanted.epoch);
  auto ran = has_started(wanted.directory, place);
  if (!ran) return ran.error();
  auto disk = PosixDisk::open_directory(wanted.directory / place);
  if (!disk) return disk.error();
  VerifierMemory memory{std::move(*disk), nullptr, nullptr, options};
  memory.book = std::make_unique<durability::PromiseBook>(place, wanted.durability, options.genesis,
                                                          digester, options.start);
  auto log = keeper_options(wanted, wanted.node);
  log.ran_before = *ran;
  durability::Found found;
  auto keeper = durability::Keeper::open(*memory.disk, log, *memory.book, found);
  if (!keeper) return keeper.error();
  memory.keeper = std::move(*keeper);
  if (!found.whole) {
    eve::runtime::log(LogLevel::kError, "promises_lost",
                      {{"role", place}, {"reason", found.trouble}});
  }
  auto first = memory.book->begin(found, memory.options);
  if (!first) return Error{(wanted.directory / place).string() + ": " + first.message()};
  if (auto status = memory.keeper->keep(std::move(*first), durability::Keeper::Until::kSynced);
      !status) {
    return Error{status.message()};
  }
  // Not before there is a log: who was killed in between has promised nothing.
  if (auto marked = mark_started(wanted.directory, place); !marked) return marked.error();
  return memory;
}

}  // namespace eve::runtime
