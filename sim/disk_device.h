// What is below the names and files that a process holds: sectors, names, faults, time. VirtualDisk
// alone uses it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eve/result.h"
#include "sim/disk_dice.h"
#include "sim/name_table.h"
#include "sim/sector_file.h"

namespace eve::sim {

class DiskDevice {
 public:
  /// As on a real file system; only a mistake reaches it.
  static constexpr uint64_t kMaxFileBytes = uint64_t{1} << 40;

  DiskDevice(const DiskPlan& plan, uint64_t seed)
      : dice_(plan, seed), capacity_(plan.capacity_bytes) {}

  // ---- operations: begin(), then what it does, then end()
  Status begin();
  Status end() { return power_failed_ ? power_error() : Status(); }
  /// The power fails in this operation: a sync must not take effect.
  bool interrupted() const { return power_failed_; }
  void take_time(uint64_t bytes);

  /// Whether the system refuses a call that only looks.
  Status may_look();
  uint64_t free() const;
  Status write(SectorFile& file, uint64_t offset, ByteView bytes);
  Status sync(SectorFile& file);
  Result<Bytes> read(const SectorFile& file, uint64_t offset, uint64_t most);
  Status create(const std::string& name, const FilePtr& file);
  Status sync_names();
  /// Its sectors may show in other files from now on.
  void bury(const FilePtr& file);
  /// A process finds `file`.
  void settle(SectorFile& file);

  void crash();
  /// Another process comes.
  void start_anew();
  /// The same one looks again.
  void refresh();
  void restore(Names files);

  NameTable names;
  /// Grows with each process; files of earlier ones are dead.
  uint64_t life() const { return life_; }
  void fail_power_after(uint64_t operations) { operations_left_ = operations; }
  DiskDice& dice() { return dice_; }
  void calm();
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  TimeUs take_elapsed() { return std::exchange(elapsed_, 0); }

 private:
  static Status power_error() { return Error{"the power of the virtual machine has failed"}; }
  static Error full_error() {
    return Error{"the virtual disk is full: wait, or remove a file", ErrorKind::kNoSpace};
  }

  void fill_or_empty();
  void decay();
  /// A sector somewhere; no file if there is none.
  std::pair<FilePtr, uint64_t> any_sector(Random& random) const;
  void lose_at_random(SectorFile& file, Random& random);
  void lose_writes(SectorFile& file);
  void misdirect(SectorFile& file);
  void keep_old_copy();

  void settle_names();
  void settle_file(SectorFile& file);
  void lose_files();

  DiskDice dice_;
  uint64_t capacity_;
  uint64_t others_bytes_ = 0;     ///< while somebody else fills the disk
  uint64_t full_operations_ = 0;  ///< and so long
  TimeUs elapsed_ = 0;
  uint64_t life_ = 0;
  uint64_t operations_left_ = 0;  ///< until the power fails; 0: it does not
  bool power_failed_ = false;
  std::vector<SectorPtr> stale_;
  Names old_copy_;
};

}  // namespace eve::sim
