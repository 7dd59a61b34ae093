#include "state/slot_ranges.h"

#include <algorithm>
#include <iterator>

namespace eve::state {

void SlotRanges::add(SlotRange range) {
  if (range.first >= range.end) return;
  auto it = ends_.upper_bound(range.first);
  if (it != ends_.begin() && std::prev(it)->second >= range.first) --it;
  while (it != ends_.end() && it->first <= range.end) {
    range.first = std::min(range.first, it->first);
    range.end = std::max(range.end, it->second);
    it = ends_.erase(it);
  }
  ends_.emplace_hint(it, range.first, range.end);
}

void SlotRanges::add(const SlotRanges& other) {
  for (const auto& [first, end] : other.ends_) add({first, end});
}

void SlotRanges::remove(SlotRange range) {
  if (range.first >= range.end) return;
  auto it = ends_.upper_bound(range.first);
  if (it != ends_.begin() && std::prev(it)->second > range.first) --it;
  while (it != ends_.end() && it->first < range.end) {
    const SlotRange cut{it->first, it->second};
    it = ends_.erase(it);
    if (cut.first < range.first) ends_.emplace(cut.first, range.first);
    if (cut.end > range.end) ends_.emplace(range.end, cut.end);
  }
}

bool SlotRanges::contains(SlotRange range) const {
  if (range.first >= range.end) return true;
  const auto it = ends_.upper_bound(range.first);
  return it != ends_.begin() && std::prev(it)->second >= range.end;
}

uint64_t SlotRanges::count() const {
  uint64_t sum = 0;
  for (const auto& [first, end] : ends_) sum += end - first;
  return sum;
}

std::vector<SlotRange> SlotRanges::ranges() const {
  std::vector<SlotRange> result;
  for (const auto& [first, end] : ends_) result.push_back({first, end});
  return result;
}

std::vector<SlotRange> SlotRanges::missing(uint64_t end, size_t limit) const {
  std::vector<SlotRange> result;
  uint64_t next = 0;
  for (auto it = ends_.begin(); next < end && result.size() < limit; ++it) {
    const uint64_t stop = it == ends_.end() ? end : std::min(end, it->first);
    if (next < stop) result.push_back({next, stop});
    if (it == ends_.end()) break;
    next = it->second;
  }
  return result;
}

}  // namespace eve::state
