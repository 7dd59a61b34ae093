// What the parts of `eve bench journal` share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "bench/bench.h"
#include "eve/result.h"
#include "journal/log.h"
#include "runtime/posix_disk.h"

namespace eve::bench {

/// A folder of its own within `parent`, on the disk to be measured; removed with what is in it.
class BenchFolder {
 public:
  static Result<std::unique_ptr<BenchFolder>> make(const std::filesystem::path& parent);
  ~BenchFolder();
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;

  /// A directory in it that is not there yet.
  Result<std::unique_ptr<runtime::PosixDisk>> disk(const std::string& name) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit BenchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// As nodes use logs, but for the reserve: nothing here waits for room.
journal::LogOptions log_options();

/// What the disk can do, and what the journal makes of it.
Status add_disk_rows(const BenchOptions& options, const BenchFolder& folder, Report& report);
/// A replica's execution stage that keeps what it runs, at each durability.
Status add_durability_rows(const BenchOptions& options, const BenchFolder& folder, Report& report);
/// The start of an executor from its log alone.
Status add_recovery_rows(const BenchOptions& options, const BenchFolder& folder, Report& report);

}  // namespace eve::bench
