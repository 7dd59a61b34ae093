// A set of any slots, a bit each: what changed since a version, what an export has sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/slot_ranges.h"

namespace eve::state {

/// Time of a whole set follows its highest slot, an eighth of a byte each, however its slots are
/// spread (SlotRanges: the number of ranges). Not thread-safe.
class SlotSet {
 public:
  void add(uint64_t slot) {
    const size_t word = slot / 64;
    if (word >= words_.size()) words_.resize(word + 1);
    words_[word] |= uint64_t{1} << (slot % 64);
  }
  void add(SlotRange range);
  void add(const SlotSet& other);
  void remove(const SlotSet& other);
  void clear() { words_.clear(); }

  bool contains(SlotRange range) const;
  bool contains(uint64_t slot) const { return contains({slot, slot + 1}); }
  /// All of them, ascending.
  std::vector<uint64_t> slots() const;

 private:
  std::vector<uint64_t> words_;
};

}  // namespace eve::state
