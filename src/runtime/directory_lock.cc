#include "runtime/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "runtime/disk_error.h"

namespace eve::runtime {

Result<Descriptor> lock_directory(const std::filesystem::path& directory, const std::string& owner,
                                  LockKind kind) {
  Descriptor fd(
      uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.ok()) return disk_error(directory, "open the directory", errno);
  const int how = kind == LockKind::kAlone ? LOCK_EX : LOCK_SH;
  if (uninterrupted([&] { return ::flock(fd.get(), how | LOCK_NB); }) == 0) return fd;
  if (errno != EWOULDBLOCK) return disk_error(directory, "lock the directory", errno);
  return Error{directory.string() + " is in use by another " + owner +
               ": stop that one, or choose another directory"};
}

}  // namespace eve::runtime
