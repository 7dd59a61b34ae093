// A set of slots that are mostly neighbours: what an export has sent, what an import holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace eve::state {

/// Slots from `first` up to, not including, `end`.
struct SlotRange {
  uint64_t first = 0;
  uint64_t end = 0;
  bool operator==(const SlotRange&) const = default;
};

/// Kept as maximal ranges: memory and time follow their number, not that of the slots. Not
/// thread-safe.
class SlotRanges {
 public:
  void add(SlotRange range);
  void add(const SlotRanges& other);
  void remove(SlotRange range);
  void clear() { ends_.clear(); }

  bool contains(SlotRange range) const;
  bool contains(uint64_t slot) const { return contains({slot, slot + 1}); }
  /// How many slots there are.
  uint64_t count() const;
  std::vector<SlotRange> ranges() const;
  /// The ranges of [0, end) that are not in the set, the lowest `limit` of them.
  std::vector<SlotRange> missing(uint64_t end, size_t limit) const;

 private:
  std::map<uint64_t, uint64_t> ends_;  ///< first slot to end; apart from each other
};

}  // namespace eve::state
