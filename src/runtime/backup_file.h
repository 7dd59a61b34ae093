// Backups on a real file system: one file that holds a checkpoint, and all that is needed to read
// it (durability/backup_format.h, docs/backup.md).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "durability/backup_format.h"
#include "durability/checkpoint_reader.h"
#include "eve/result.h"
#include "journal/disk.h"
#include "runtime/descriptor.h"

namespace eve::runtime {

/// One that is there. Nothing of it is changed.
class BackupFile {
 public:
  /// Reads the manifest. Errors say whether it is no backup, damaged, or of a later release.
  static Result<std::unique_ptr<BackupFile>> open(const std::filesystem::path& file);

  const durability::BackupManifest& manifest() const { return manifest_; }
  /// Has one file, manifest().checkpoint, and takes no changes.
  journal::Disk& disk() { return *disk_; }
  /// The whole file.
  Result<durability::CheckpointInfo> verify();

 private:
  BackupFile(durability::BackupManifest manifest, std::unique_ptr<journal::Disk> disk)
      : manifest_(std::move(manifest)), disk_(std::move(disk)) {}

  durability::BackupManifest manifest_;
  std::unique_ptr<journal::Disk> disk_;
};

/// An empty file that nobody else writes, at the path `file`: made, or what an interrupted one
/// left. Never one that has got another name meanwhile. `opened`, for tests: between opening and
/// locking.
Result<Descriptor> open_draft(const std::filesystem::path& file,
                              const std::function<void()>& opened = {});

/// Copies `checkpoint`, a file, into a new backup `target`; `manifest` says what it is, but for its
/// name and size. The copy is on the disk, was read back from there and found whole before it gets
/// its name, and `accept` says yes to it; nothing is overwritten, and on an error nothing is
/// left. Only the owner may read it.
/// kNotFound: the checkpoint has gone meanwhile, for a newer one.
using Accept = std::function<Status(const durability::CheckpointInfo&)>;
enum class BackupFault : uint8_t { kOther, kNotFound };
Result<durability::CheckpointInfo> write_backup(const std::filesystem::path& checkpoint,
                                                const std::filesystem::path& target,
                                                durability::BackupManifest manifest,
                                                const Accept& accept, BackupFault* fault = nullptr);

}  // namespace eve::runtime
