#include "runtime/backup_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstdio>
#include <limits>
#include <utility>

#include "durability/genesis_state.h"
#include "runtime/descriptor.h"
#include "runtime/disk_error.h"

namespace eve::runtime {
namespace {

using durability::BackupManifest;
using durability::CheckpointInfo;
using std::filesystem::path;

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;
constexpr int kOpenDraft = 100;
constexpr uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

Result<uint64_t> size_of(int fd, const path& file) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return disk_error(file, "examine", errno);
  if (!S_ISREG(info.st_mode)) return Error{file.string() + ": is no file"};
  return static_cast<uint64_t>(info.st_size);
}

/// Fewer than `most` only at the end of the file.
Result<Bytes> read_at(int fd, const path& file, uint64_t offset, uint64_t most) {
  Bytes bytes(most, '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const auto got = uninterrupted([&] {
      return ::pread(fd, bytes.data() + have, bytes.size() - have,
                     static_cast<off_t>(offset + have));
    });
    if (got < 0) return disk_error(file, "read", errno);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

/// A part of a file.
struct Part {
  path file;
  Descriptor descriptor;
  std::string name;
  uint64_t begin = 0;
  uint64_t size = 0;
};

Error read_only(const std::string& name) {
  return Error{name + ": a backup is not changed"};
}

class PartFile final : public journal::File {
 public:
  explicit PartFile(std::shared_ptr<const Part> part) : part_(std::move(part)) {}

  Result<uint64_t> size() const override { return part_->size; }
  Result<Bytes> read(uint64_t offset, uint64_t most) const override {
    if (offset >= part_->size) return Bytes();
    most = std::min(most, part_->size - offset);
    return read_at(part_->descriptor.get(), part_->file, part_->begin + offset, most);
  }
  Status write(uint64_t, ByteView) override { return read_only(part_->name); }
  Status sync() override { return read_only(part_->name); }
  Status truncate(uint64_t) override { return read_only(part_->name); }

 private:
  std::shared_ptr<const Part> part_;
};

class PartDisk final : public journal::Disk {
 public:
  explicit PartDisk(Part part) : part_(std::make_shared<const Part>(std::move(part))) {}

  Result<std::vector<std::string>> list() const override {
    return std::vector<std::string>{part_->name};
  }
  Result<std::unique_ptr<journal::File>> open(const std::string& name) override {
    if (name != part_->name) return Error{name + ": is not in the backup"};
    return std::unique_ptr<journal::File>(std::make_unique<PartFile>(part_));
  }
  Result<std::unique_ptr<journal::File>> create(const std::string& name) override {
    return read_only(name);
  }
  Status rename(const std::string& from, const std::string&) override { return read_only(from); }
  Status remove(const std::string& name) override { return read_only(name); }
  Status sync_names() override { return read_only(part_->name); }
  Result<uint64_t> free_bytes() const override { return 0; }

 private:
  std::shared_ptr<const Part> part_;
};

}  // namespace

Result<std::unique_ptr<BackupFile>> BackupFile::open(const path& file) {
  Descriptor fd(uninterrupted([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!fd.ok()) return disk_error(file, "open", errno);
  const auto size = size_of(fd.get(), file);
  if (!size) return size.error();
  auto head = read_at(fd.get(), file, 0, durability::kBackupHeadBytes);
  if (!head) return head.error();
  const auto more = durability::manifest_bytes(*head);
  if (!more) return Error{file.string() + ": is no backup that `eve backup` made, or is damaged"};
  head = read_at(fd.get(), file, 0, durability::kBackupHeadBytes + *more);
  if (!head) return head.error();
  journal::BadHeader why;
  auto manifest = durability::decode_manifest(*head, &why);
  if (!manifest && why.newer) {
    return Error{file.string() + ": is of version " + std::to_string(why.version) +
                 " of the format, this release reads " +
                 std::to_string(durability::kBackupVersion) + ": use the release that wrote it"};
  }
  if (!manifest) return Error{file.string() + ": is damaged: what it says of itself is not whole"};
  const uint64_t begin = durability::kBackupHeadBytes + *more;
  if (*size - begin != manifest->checkpoint_bytes) {
    return Error{file.string() + ": is damaged: it has " + std::to_string(*size) +
                 " bytes, and had " + std::to_string(begin + manifest->checkpoint_bytes)};
  }
  Part part{file, std::move(fd), manifest->checkpoint, begin, manifest->checkpoint_bytes};
  auto disk = std::make_unique<PartDisk>(std::move(part));
  return std::unique_ptr<BackupFile>(new BackupFile(std::move(*manifest), std::move(disk)));
}

Result<CheckpointInfo> BackupFile::verify() {
  const auto digester = durability::digester_of(manifest_);
  return durability::verify_checkpoint(*disk_, manifest_.checkpoint, digester);
}

Result<Descriptor> open_draft(const path& file, const std::function<void()>& opened) {
  const auto written = [&] {
    return Error{file.string() + ": is being written by another `backup`"};
  };
  for (int attempt = 0; attempt < kOpenDraft; ++attempt) {
    Descriptor fd(uninterrupted(
        [&] { return ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); }));
    if (!fd.ok()) return disk_error(file, "create", errno);
    if (opened) opened();
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return written();
    struct stat held {};
    struct stat named {};
    if (::fstat(fd.get(), &held) != 0) return disk_error(file, "examine", errno);
    if (::lstat(file.c_str(), &named) != 0) {
      if (errno != ENOENT) return disk_error(file, "examine", errno);
      continue;
    }
    // Whoever wrote it has named it meanwhile: what is open is a finished backup.
    if (held.st_dev != named.st_dev || held.st_ino != named.st_ino) continue;
    if (held.st_nlink > 1) {  // interrupted between getting its name and losing this one
      if (::unlink(file.c_str()) != 0) return disk_error(file, "remove", errno);
      continue;
    }
    if (::ftruncate(fd.get(), 0) != 0) return disk_error(file, "empty", errno);
    return fd;
  }
  return written();
}

namespace {

/// What is being written, beside the target; goes away unless it gets its name.
class Draft {
 public:
  explicit Draft(path target) : target_(std::move(target)), file_(target_) { file_ += ".new"; }
  ~Draft() {
    if (fd_.ok() && !named_) ::unlink(file_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const path& file() const { return file_; }

  Status create() {
    auto fd = open_draft(file_);
    if (!fd) return fd.status();
    fd_ = std::move(*fd);
    return {};
  }

  Status append(ByteView bytes) {
    while (!bytes.empty()) {
      const auto written =
          uninterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (written <= 0) return disk_error(file_, "write", written < 0 ? errno : EIO);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  /// Afterwards what is read comes from the disk.
  Status sync() {
    if (::fsync(fd_.get()) != 0) return disk_error(file_, "sync", errno);
    ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

  Status name_it() {
    int failed = ::renameat2(AT_FDCWD, file_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE);
    if (failed != 0 && errno == EINVAL) {  // a file system without that
      failed = ::link(file_.c_str(), target_.c_str());
      if (failed == 0) ::unlink(file_.c_str());
    }
    if (failed != 0 && errno == EEXIST) {
      return Error{target_.string() + ": is there already; it is not overwritten"};
    }
    if (failed != 0) return disk_error(target_, "name the backup", errno);
    named_ = true;
    const path folder = target_.has_parent_path() ? target_.parent_path() : path(".");
    const Descriptor names(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!names.ok() || ::fsync(names.get()) != 0) return disk_error(folder, "sync", errno);
    return {};
  }

 private:
  const path target_;
  path file_;
  Descriptor fd_;
  bool named_ = false;
};

Status copy(int from, const path& file, uint64_t size, Draft& draft) {
  for (uint64_t offset = 0; offset < size;) {
    const auto bytes = read_at(from, file, offset, std::min(kCopyBytes, size - offset));
    if (!bytes) return bytes.status();
    if (bytes->empty()) return Error{file.string() + ": has become shorter"};
    if (auto status = draft.append(*bytes); !status) return status;
    offset += bytes->size();
  }
  return draft.sync();
}

}  // namespace

Result<CheckpointInfo> write_backup(const path& checkpoint, const path& target,
                                    BackupManifest manifest, const Accept& accept,
                                    BackupFault* fault) {
  const Descriptor source(
      uninterrupted([&] { return ::open(checkpoint.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
  if (!source.ok()) {
    if (fault != nullptr && errno == ENOENT) *fault = BackupFault::kNotFound;
    return disk_error(checkpoint, "open", errno);
  }
  const auto size = size_of(source.get(), checkpoint);
  if (!size) return size.error();
  if (*size > kMaxOffset) return disk_error(checkpoint, "read", EFBIG);
  manifest.checkpoint = checkpoint.filename().string();
  manifest.checkpoint_bytes = *size;

  Draft draft(target);
  if (auto status = draft.create(); !status) return Error{status.message()};
  if (auto status = draft.append(durability::encode(manifest)); !status) {
    return Error{status.message()};
  }
  if (auto status = copy(source.get(), checkpoint, *size, draft); !status) {
    return Error{status.message()};
  }
  auto written = BackupFile::open(draft.file());
  if (!written) return written.error();
  auto info = (*written)->verify();
  if (!info) return Error{"the copy in " + draft.file().string() + ": " + info.message()};
  if (auto status = accept(*info); !status) return Error{status.message()};
  if (auto status = draft.name_it(); !status) return Error{status.message()};
  return info;
}

}  // namespace eve::runtime
