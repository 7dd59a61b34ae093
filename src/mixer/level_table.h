// For each key of a batch: the last level that wrote it and the last that read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace eve::mixer {

/// Open addressing with linear probing over 16-byte slots. Levels are kept as stamps that only ever
/// grow from batch to batch, so a slot of an earlier batch is empty by itself and clearing costs
/// nothing. The part of the table in use depends on the batch's keys alone: the same batch probes
/// the same way on every replica, whatever that replica has mixed before.
class LevelTable {
 public:
  struct Slot {
    uint64_t hash = 0;
    uint32_t written = 0;  ///< stamp of the last level that writes the key
    uint32_t read = 0;     ///< stamp of the last level that reads it
  };

  /// Longest probe. Clients choose keys and may know the hash: they must not make lookups slow.
  static constexpr size_t kMaxProbe = 64;

  /// Forgets everything; makes room for `keys` distinct keys and levels below `levels`.
  void start(size_t keys, size_t levels);

  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_], 1); }
  /// The key's slot, made if it is new; null where the probe is too long.
  Slot* find(uint64_t hash) {
    for (size_t probe = 0; probe < kMaxProbe; ++probe) {
      Slot& slot = slots_[(hash + probe) & mask_];
      if (slot.written <= base_ && slot.read <= base_) {
        slot = Slot{hash, base_, base_ + 1};
        return &slot;
      }
      if (slot.hash == hash) return &slot;
    }
    return nullptr;
  }

  /// First level that may follow what `stamp` names; 0 for a key that nobody has used like that.
  uint32_t level_after(uint32_t stamp) const { return stamp <= base_ + 1 ? 0 : stamp - base_ - 1; }
  uint32_t stamp_of(uint32_t level) const { return base_ + 2 + level; }

 private:
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  uint32_t base_ = 0;  ///< stamps up to here belong to earlier batches
  uint32_t used_ = 0;  ///< the highest stamp that this batch can give
};

}  // namespace eve::mixer
