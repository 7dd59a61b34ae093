#include "runtime/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/file_name.h"
#include "runtime/directory_lock.h"
#include "runtime/disk_error.h"

namespace eve::runtime {
namespace {

constexpr uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

std::string range(const char* what, uint64_t size, uint64_t offset) {
  return what + (" " + std::to_string(size)) + " bytes at " + std::to_string(offset);
}

Error sync_failed_before(const std::filesystem::path& file, ErrorKind why) {
  return Error{file.string() +
                   ": an earlier sync failed, and what it should have made durable may be lost:"
                   " write a new file, or restart the node",
               why};
}

Error only_looks(const std::filesystem::path& file) {
  return Error{file.string() + ": it was opened to be looked at only"};
}

class PosixFile final : public journal::File {
 public:
  PosixFile(std::filesystem::path path, Descriptor descriptor, bool read_only)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), read_only_(read_only) {}

  /// Writes back what an earlier process left in the cache, and empties that: what is read is what
  /// the disk holds. After a failed sync the cache shows what the disk may not hold.
  void settle() {
    if (::fdatasync(descriptor_.get()) != 0) (void)sync_error(errno);
    ::posix_fadvise(descriptor_.get(), 0, 0, POSIX_FADV_DONTNEED);
  }

  Result<uint64_t> size() const override {
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) != 0) return disk_error(path_, "examine", errno);
    return static_cast<uint64_t>(info.st_size);
  }

  Status write(uint64_t offset, ByteView bytes) override {
    if (auto status = may_write(); !status) return status;
    if (offset > kMaxOffset - bytes.size()) {
      return disk_error(path_, range("write", bytes.size(), offset), EFBIG);
    }
    while (!bytes.empty()) {
      const auto written = uninterrupted([&] {
        return ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (written <= 0) {
        return disk_error(path_, range("write", bytes.size(), offset), written < 0 ? errno : EIO);
      }
      bytes.remove_prefix(static_cast<size_t>(written));
      offset += static_cast<uint64_t>(written);
    }
    return {};
  }

  // An interrupted sync is not repeated: the interruption may hide an error, which the kernel tells
  // of once only.
  Status sync() override {
    if (auto status = may_write(); !status) return status;
    if (::fdatasync(descriptor_.get()) == 0) return {};
    return sync_error(errno);
  }

  Result<Bytes> read(uint64_t offset, uint64_t most) const override {
    auto end = size();
    if (!end) return end.error();
    Bytes bytes;
    if (offset >= *end) return bytes;
    bytes.resize(std::min(most, *end - offset));
    size_t done = 0;
    while (done < bytes.size()) {
      const auto got = uninterrupted([&] {
        return ::pread(descriptor_.get(), bytes.data() + done, bytes.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0) {
        return disk_error(path_, range("read", bytes.size() - done, offset + done), errno);
      }
      if (got == 0) break;  // shorter by now, whoever did that
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  Status truncate(uint64_t size) override {
    if (auto status = may_write(); !status) return status;
    const std::string what = "truncate to " + std::to_string(size) + " bytes";
    if (size > kMaxOffset) return disk_error(path_, what, EFBIG);
    const auto done =
        uninterrupted([&] { return ::ftruncate(descriptor_.get(), static_cast<off_t>(size)); });
    return done == 0 ? Status() : disk_error(path_, what, errno);
  }

 private:
  Status may_write() const {
    if (read_only_) return only_looks(path_);
    return sync_failed_ ? Status(sync_failed_before(path_, *sync_failed_)) : Status();
  }
  Error sync_error(int error) {
    auto failed = disk_error(path_, "sync", error);
    sync_failed_ = failed.kind;
    return failed;
  }

  std::filesystem::path path_;
  Descriptor descriptor_;
  const bool read_only_;
  std::optional<ErrorKind> sync_failed_;
};

Result<std::unique_ptr<PosixFile>> open_file(int directory, const std::filesystem::path& path,
                                             int flags, const char* what) {
  const auto name = path.filename();
  const bool read_only = (flags & O_ACCMODE) == O_RDONLY;
  // Not to wait for the other end of what turns out to be a pipe.
  const int always = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Descriptor fd(
      uninterrupted([&] { return ::openat(directory, name.c_str(), always | flags, 0600); }));
  if (!fd.ok()) return disk_error(path, what, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return disk_error(path, what, errno);
  if (!S_ISREG(info.st_mode)) return Error{path.string() + " is no plain file: move it away"};
  return std::make_unique<PosixFile>(path, std::move(fd), read_only);
}

/// Makes `directory` unless it is there, and its name durable: an earlier process may have made it
/// and died before that.
Status ensure_directory(const std::filesystem::path& directory) {
  const bool made = ::mkdir(directory.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return disk_error(directory, "make the directory", errno);
  const auto parent = directory / "..";
  Descriptor fd(
      uninterrupted([&] { return ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  // Where a parent may not be read, it was not us who made the directory in it.
  if (!fd.ok() && errno == EACCES && !made) return {};
  if (fd.ok() && ::fsync(fd.get()) == 0) return {};
  return disk_error(parent, "sync the directory", errno);
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

/// A stream of its own: a shared one would share its position.
DirectoryStream open_stream(int directory) {
  Descriptor fd(
      uninterrupted([&] { return ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.ok()) return nullptr;
  DirectoryStream stream(::fdopendir(fd.get()));
  if (stream != nullptr) fd.release();
  return stream;
}

bool is_plain_file(int directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_REG;
  struct stat info {};
  return ::fstatat(directory, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(info.st_mode);
}

}  // namespace

Result<std::unique_ptr<PosixDisk>> PosixDisk::open_directory(
    const std::filesystem::path& directory) {
  if (auto status = ensure_directory(directory); !status) return status.error();
  auto lock = lock_directory(directory, "node or tool");
  if (!lock) return lock.error();
  std::unique_ptr<PosixDisk> disk(new PosixDisk(directory, std::move(*lock), false));
  if (auto status = disk->sync_names(); !status) return status.error();
  return disk;
}

Result<std::unique_ptr<PosixDisk>> PosixDisk::look_at(const std::filesystem::path& directory) {
  auto lock = lock_directory(directory, "node or tool", LockKind::kShared);
  if (!lock) return lock.error();
  return std::unique_ptr<PosixDisk>(new PosixDisk(directory, std::move(*lock), true));
}

Result<std::vector<std::string>> PosixDisk::list() const {
  auto stream = open_stream(descriptor_.get());
  if (stream == nullptr) return disk_error(directory_, "open the directory", errno);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return disk_error(directory_, "list", errno);
    if (entry == nullptr) return names;
    if (is_plain_file(descriptor_.get(), *entry)) names.emplace_back(entry->d_name);
  }
}

Status PosixDisk::may_change(const std::string& name) const {
  if (read_only_) return only_looks(directory_ / name);
  if (sync_failed_) return sync_failed_before(directory_, sync_failure_);
  return check_file_name(name);
}

Result<std::unique_ptr<journal::File>> PosixDisk::create(const std::string& name) {
  if (auto status = may_change(name); !status) return status.error();
  auto file = open_file(descriptor_.get(), directory_ / name, O_RDWR | O_CREAT | O_EXCL, "create");
  if (!file) return file.error();
  return std::unique_ptr<journal::File>(std::move(*file));
}

Result<std::unique_ptr<journal::File>> PosixDisk::open(const std::string& name) {
  if (auto status = check_file_name(name); !status) return status.error();
  const int flags = read_only_ ? O_RDONLY : O_RDWR;
  auto file = open_file(descriptor_.get(), directory_ / name, flags, "open");
  if (!file) return file.error();
  if (!read_only_) (*file)->settle();
  return std::unique_ptr<journal::File>(std::move(*file));
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (auto status = may_change(from); !status) return status;
  if (auto status = may_change(to); !status) return status;
  const int here = descriptor_.get();
  if (uninterrupted([&] { return ::renameat(here, from.c_str(), here, to.c_str()); }) == 0) {
    return {};
  }
  return disk_error(directory_ / from, "rename to " + to, errno);
}

Status PosixDisk::remove(const std::string& name) {
  if (auto status = may_change(name); !status) return status;
  if (uninterrupted([&] { return ::unlinkat(descriptor_.get(), name.c_str(), 0); }) == 0) return {};
  return disk_error(directory_ / name, "remove", errno);
}

Status PosixDisk::sync_names() {
  if (read_only_) return only_looks(directory_);
  if (sync_failed_) return sync_failed_before(directory_, sync_failure_);
  if (::fsync(descriptor_.get()) == 0) return {};
  auto failed = disk_error(directory_, "sync the directory", errno);
  sync_failed_ = true;
  sync_failure_ = failed.kind;
  return failed;
}

// As open_directory() does: whoever reads the names after it has made sure of them.
Status PosixDisk::refresh() {
  sync_failed_ = false;
  return sync_names();
}

Result<uint64_t> PosixDisk::free_bytes() const {
  struct statvfs info {};
  if (uninterrupted([&] { return ::fstatvfs(descriptor_.get(), &info); }) != 0) {
    return disk_error(directory_, "ask for free space", errno);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace eve::runtime
