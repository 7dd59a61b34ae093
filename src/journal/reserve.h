// Headroom: a file that does nothing but take up room, to be given up when the disk is full, so
// that what has been accepted can be written and the process can end in order.
#pragma once

#include <cstdint>
#include <string>

#include "eve/result.h"
#include "journal/disk.h"

namespace eve::journal {

/// Not thread-safe. The disk must outlive it.
class Reserve {
 public:
  Reserve(Disk& disk, std::string name, uint64_t bytes)
      : disk_(disk), name_(std::move(name)), bytes_(bytes) {}

  /// Takes the room; nothing to do if it is held. After an error it is not held, and not taken in
  /// part. The file's name is durable when somebody syncs names: if a crash loses it, the next
  /// process takes the room again.
  Status hold();
  /// The room is free when this returns success.
  Status give_up();
  bool held() const { return held_; }
  uint64_t bytes() const { return bytes_; }

 private:
  Status fill(File& file);
  Result<bool> is_there();

  Disk& disk_;
  const std::string name_;
  const uint64_t bytes_;
  bool held_ = false;
};

}  // namespace eve::journal
