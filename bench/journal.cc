// `eve bench journal`: what durability costs, beside what the disk can do in the same minutes.
#include "bench/journal.h"

#include <stdlib.h>
#include <sys/vfs.h>

#include "runtime/disk_error.h"

namespace eve::bench {
namespace {

constexpr uint64_t kRoom = uint64_t{2} << 30;
constexpr long kMemoryFileSystem = 0x01021994;  // tmpfs

std::string remark_on(const std::filesystem::path& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return "";
  if (info.f_type != kMemoryFileSystem) return "";
  return folder.string() + " is in memory: a sync does nothing there. Name a folder on a disk.";
}

}  // namespace

Result<std::unique_ptr<BenchFolder>> BenchFolder::make(const std::filesystem::path& parent) {
  std::string name = (parent / "eve-bench-journal-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return runtime::disk_error(name, "make the directory", errno);
  }
  return std::unique_ptr<BenchFolder>(new BenchFolder(name));
}

BenchFolder::~BenchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<runtime::PosixDisk>> BenchFolder::disk(const std::string& name) const {
  return runtime::PosixDisk::open_directory(path_ / name);
}

journal::LogOptions log_options() {
  journal::LogOptions options;
  options.owner = {"bench", "bench"};
  options.reserve_bytes = 0;
  return options;
}

Result<Report> bench_journal(const BenchOptions& options) {
  const std::filesystem::path parent = options.directory.empty() ? "." : options.directory;
  auto folder = BenchFolder::make(parent);
  if (!folder) return folder.error();
  std::error_code error;
  const auto room = std::filesystem::space((*folder)->path(), error);
  if (!error && room.available < kRoom) {
    return Error{parent.string() + " has less than 2 GiB free: name another one with --dir"};
  }
  Report report;
  report.name = "journal";
  report.command = "eve bench journal --dir " + parent.string() + " --seconds " +
                   std::to_string(options.seconds) + " --runs " + std::to_string(options.runs);
  report.remark = remark_on((*folder)->path());
  if (auto status = add_disk_rows(options, **folder, report); !status) return status.error();
  report.print();
  if (auto status = add_durability_rows(options, **folder, report); !status) return status.error();
  if (auto status = add_recovery_rows(options, **folder, report); !status) return status.error();
  return report;
}

}  // namespace eve::bench
