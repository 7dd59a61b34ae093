#include "runtime/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "runtime/descriptor.h"
#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

Error system_error(const std::filesystem::path& file, const char* what) {
  return Error{file.string() + ": cannot " + what + ": " + std::strerror(errno)};
}

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Status sync_directory(const std::filesystem::path& directory) {
  const auto path = directory.empty() ? std::filesystem::path(".") : directory;
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) return system_error(path, "sync");
  return {};
}

Status write_synced(const std::filesystem::path& file, ByteView bytes, int flags, Access access) {
  Descriptor fd(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, static_cast<mode_t>(access)));
  if (!fd.ok() && errno == EEXIST) {
    return Error{file.string() + ": is there already; it is not overwritten"};
  }
  if (!fd.ok()) return system_error(file, "create");
  const auto failed = [&](const char* what) {
    auto status = system_error(file, what);
    if ((flags & O_EXCL) != 0) ::unlink(file.c_str());  // it was made here
    return status;
  };
  if (!write_all(fd.get(), bytes)) return failed("write");
  if (::fsync(fd.get()) != 0) return failed("sync");
  if (!fd.close()) return failed("close");
  return {};
}

Result<Bytes> read_open_file(const std::filesystem::path& file, int fd) {
  Bytes bytes;
  while (bytes.size() <= host_limits::kMaxFileBytes) {
    char buffer[16384];
    const auto got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(file, "read");
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
  }
  return Error{file.string() + ": is larger than any file of Eve's: is it the right one?"};
}

}  // namespace

Result<Bytes> read_file(const std::filesystem::path& file) {
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return system_error(file, "open");
  return read_open_file(file, fd.get());
}

Result<Bytes> read_secret_file(const std::filesystem::path& file) {
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return system_error(file, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error(file, "examine");
  if ((info.st_mode & 077) != 0) {
    return Error{file.string() + ": others may read this secret; run chmod 600 on it"};
  }
  return read_open_file(file, fd.get());
}

Status create_file(const std::filesystem::path& file, ByteView bytes, Access access) {
  if (auto status = write_synced(file, bytes, O_EXCL, access); !status) return status;
  return sync_directory(file.parent_path());
}

Status replace_file(const std::filesystem::path& file, ByteView bytes, Access access) {
  auto beside = file;
  beside += ".new";
  if (auto status = write_synced(beside, bytes, O_TRUNC, access); !status) return status;
  if (::rename(beside.c_str(), file.c_str()) != 0) return system_error(file, "replace");
  return sync_directory(file.parent_path());
}

}  // namespace eve::runtime
