// A verifier's log on a real disk: DIRECTORY/NODE/verifier-I/promises-*.log, and the marks
// verifier-I.ran (promise_file.h), which say that there must be a log. Of a later epoch E it is
// verifier-I.eE/ and verifier-I.eE.ran: what was promised in an epoch is of that epoch (M12).
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "durability/promise_book.h"
#include "runtime/posix_disk.h"
#include "verification/verifier.h"

namespace eve::runtime {

struct VerifierMemory {
  std::unique_ptr<PosixDisk> disk;
  std::unique_ptr<durability::PromiseBook> book;
  std::unique_ptr<durability::Keeper> keeper;
  verification::VerifierOptions options;  ///< with what the log says
};

struct VerifierMemoryOptions {
  std::filesystem::path directory;  ///< of the node's state
  std::string cluster;              ///< the cluster's id
  Address node;                     ///< the role's address, for ever
  Epoch epoch{};
  durability::Durability durability = durability::Durability::kMemory;
  uint64_t headroom_bytes = journal::LogOptions().low_bytes;  ///< less free on the disk is low
};

/// Errors: the disk refuses; the log is another node's or a later release's; what was promised is
/// lost, and not even the views are known: then the verifier must not run. `digester` outlives it.
Result<VerifierMemory> open_verifier_memory(const VerifierMemoryOptions& wanted,
                                            const verification::VerifierOptions& options,
                                            const crypto::Digester& digester);

}  // namespace eve::runtime
