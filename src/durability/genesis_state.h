// The state that a cluster begins with, where that is not the service's empty one but a backup's:
// a checkpoint of batch 0, the same on every executor (docs/backup.md).
#pragma once

#include <string>

#include "crypto/digest.h"
#include "durability/backup_format.h"
#include "durability/checkpoint_reader.h"
#include "eve/result.h"
#include "execution/runner.h"
#include "journal/disk.h"

namespace eve::durability {

/// The digester of the cluster that a backup is of.
crypto::Digester digester_of(const BackupManifest& manifest);

/// Whether a service whose runner is `runner` can have this state: its tables, by number, have the
/// names that the backup's have. An error says which do not.
Status check_tables(const BackupManifest& manifest, const execution::Runner& runner);

/// Brings the empty `runner`, of another cluster, to batch 0 with the state of the checkpoint
/// `name`: Runner::begin_with(). All of the file is checked on the way. On an error the runner is
/// empty again.
Result<CheckpointInfo> begin_with_checkpoint(journal::Disk& disk, const std::string& name,
                                             const crypto::Digester& proofs,
                                             execution::Runner& runner);

/// Writes batch 0 of `runner`, which has carried out no command, as the only checkpoint on `disk`;
/// read back and found whole before this returns.
Result<CheckpointInfo> write_genesis(journal::Disk& disk, const std::string& cluster,
                                     const crypto::Digester& digester, execution::Runner& runner);
/// Brings an empty runner to it. Fails unless it is there, is whole, and has the root `root`.
Status import_genesis(journal::Disk& disk, const crypto::Digest& root, execution::Runner& runner);

}  // namespace eve::durability
