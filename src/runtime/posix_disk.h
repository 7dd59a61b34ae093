// The journal's disk: one directory of a real file system, which this process has for itself.
//
// What the promises of journal/disk.h rest on:
// - sync() is fdatasync(), after growing and truncating too: it leaves out only what reading the
//   data back does not need (times), never sizes or where blocks are.
// - sync_names() is fsync() of the directory.
// - A failed sync is final: Linux marks the pages clean that it could not write, and the next sync
//   would succeed without them. That handle refuses everything but reads from then on; a disk whose
//   directory could not be synced takes no more changes of names until refresh().
// - What a new process finds is durable: open_directory() syncs the names, open() of a file its
//   bytes (or the handle refuses to write, as after a failed sync), past whatever the page cache of
//   a process that was killed still shows.
// - Errors name file, operation and what to do. A read never gives less than is there.
//
// Files have mode 0600, a directory that is made here 0700. Symbolic links are not followed. Files
// may outlive their disk, but not its lock.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "journal/disk.h"
#include "runtime/descriptor.h"

namespace eve::runtime {

class PosixDisk final : public journal::Disk {
 public:
  /// Makes the directory (not its parents) if it is not there, durably. Fails while another process
  /// has it open as a PosixDisk, and while this one has.
  static Result<std::unique_ptr<PosixDisk>> open_directory(const std::filesystem::path& directory);
  /// For tools that look at what a node has left: changes nothing, neither does it sync, so that
  /// what is read may be in the cache only. Others may look too; nobody else has the directory.
  static Result<std::unique_ptr<PosixDisk>> look_at(const std::filesystem::path& directory);

  Result<std::vector<std::string>> list() const override;
  Result<std::unique_ptr<journal::File>> create(const std::string& name) override;
  Result<std::unique_ptr<journal::File>> open(const std::string& name) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& name) override;
  Status sync_names() override;
  Status refresh() override;
  Result<uint64_t> free_bytes() const override;

 private:
  PosixDisk(std::filesystem::path directory, Descriptor descriptor, bool read_only)
      : directory_(std::move(directory)),
        descriptor_(std::move(descriptor)),
        read_only_(read_only) {}

  Status may_change(const std::string& name) const;
  std::filesystem::path directory_;
  Descriptor descriptor_;
  const bool read_only_;
  bool sync_failed_ = false;
  ErrorKind sync_failure_ = ErrorKind::kOther;
};

}  // namespace eve::runtime
