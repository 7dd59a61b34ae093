#include "runtime/disk_error.h"

#include <cerrno>
#include <system_error>

namespace eve::runtime {
namespace {

const char* advice(int error) {
  switch (error) {
    case ENOSPC:
      return "free space on this file system, or move the directory to a larger one";
    case EDQUOT:
      return "free space of this user, or have the quota raised";
    case EIO:
      return "the device failed: see the kernel's log (dmesg), and replace it if that names it";
    case EROFS:
      return "the file system is read-only, often after an error: see dmesg, then remount it";
    case EACCES:
    case EPERM:
      return "check the owner and the mode of the file and its directory";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise the limit (ulimit -n)";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or use another file system";
    case ENOENT:
      return "it is not there: was it removed, or the disk not mounted?";
    case EEXIST:
      return "it is there already; it is not overwritten";
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
      return "something other than a plain file stands there: move it away";
    default:
      return "see the kernel's log (dmesg)";
  }
}

}  // namespace

Error disk_error(const std::filesystem::path& file, const std::string& what, int error) {
  return Error{file.string() + ": cannot " + what + ": " + std::generic_category().message(error) +
               ": " + advice(error)};
}

}  // namespace eve::runtime
