// What the journal needs of a directory on a disk. Two make it: the one with system calls, in
// runtime/, and the simulator's, which tears, loses, misdirects and rots what is written.
//
// What may be assumed: bytes written are there after a crash only if sync() of that file returned
// success after them; a file's name only if sync_names() did. Bytes that were not synced may be
// there in part, in any order. A failed sync() says nothing about earlier bytes either, and a
// second one after it proves nothing: the file must not be written any more.
//
// What a new process finds it may rely on: names are durable when there is a Disk, a file's bytes
// and size when open() gives it; and they are what the disk holds, whatever a process that was
// killed, or saw a sync fail, has left in caches.
//
// Errors have a kind. kNoSpace: the file system or the quota is full. kMedium: the device failed,
// or the file system found itself damaged, so what was there may be lost. All others (too many open
// files, no memory, no right to read) say nothing about what the disk holds: nobody may take them
// for damage.
//
// Calls block. One thread at a time uses a Disk and its files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::journal {

class File {
 public:
  virtual ~File() = default;
  /// In bytes; writing beyond it makes the file longer, with zeroes in a gap.
  virtual Result<uint64_t> size() const = 0;
  virtual Status write(uint64_t offset, ByteView bytes) = 0;
  /// Everything written to this file so far is durable, and so is its size.
  virtual Status sync() = 0;
  /// At most `most` bytes from `offset`; fewer only at the end of the file.
  virtual Result<Bytes> read(uint64_t offset, uint64_t most) const = 0;
  /// Makes it shorter, or longer with zeroes, which take no space yet: to reserve some, write.
  virtual Status truncate(uint64_t size) = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// Names of the directory's files, in no order. Directories in it are not listed.
  virtual Result<std::vector<std::string>> list() const = 0;
  /// Fails if `name` is there.
  virtual Result<std::unique_ptr<File>> create(const std::string& name) = 0;
  /// Fails unless `name` is there.
  virtual Result<std::unique_ptr<File>> open(const std::string& name) = 0;
  /// Replaces `to` if it is there: at any time a crash leaves one of the two whole.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& name) = 0;
  /// Creations, renames and removals so far are durable.
  virtual Status sync_names() = 0;
  /// After an error, before the files are read again: when it returns success, names are durable,
  /// and what list() and open() show is what a new process would find. Files that are open are not
  /// used any more.
  virtual Status refresh() { return sync_names(); }
  /// Bytes that can still be written, by the file system's word.
  virtual Result<uint64_t> free_bytes() const = 0;
};

}  // namespace eve::journal
