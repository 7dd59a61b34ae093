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
    case ENODATA:
    case EREMOTEIO:
    case EILSEQ:
      return "the device failed: see the kernel's log (dmesg), and replace it if that names it";
    case EUCLEAN:
    case EBADMSG:
      return "the file system is damaged: stop the node, and check it (fsck)";
    case ENOMEM:
      return "this machine is short of memory: free some, and start again";
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

// What is not here says nothing about what the disk holds, and is never taken for damage: better an
// operator is asked once too often than a good file is set aside.
ErrorKind kind_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::kNoSpace;
    case EIO:
    case ENODATA:    // how block devices tell of a bad sector
    case EREMOTEIO:  // and of a target that failed
    case EILSEQ:     // and of a checksum
    case EUCLEAN:    // ext4 and XFS: the file system's own structures
    case EBADMSG:    // and their checksums
      return ErrorKind::kMedium;
    default:
      return ErrorKind::kOther;
  }
}

}  // namespace

Error disk_error(const std::filesystem::path& file, const std::string& what, int error) {
  return Error{file.string() + ": cannot " + what + ": " + std::generic_category().message(error) +
                   ": " + advice(error),
               kind_of(error)};
}

}  // namespace eve::runtime
