#include "state/slot_set.h"

#include <algorithm>
#include <bit>

namespace eve::state {

namespace {

/// The bits of `range` that are in the word of slots from `word * 64` on, of which it has some.
uint64_t mask(SlotRange range, uint64_t word) {
  const uint64_t first = range.first > word * 64 ? range.first - word * 64 : 0;
  const uint64_t end = std::min<uint64_t>(range.end - word * 64, 64);
  return (~uint64_t{0} << first) & (~uint64_t{0} >> (64 - end));
}

uint64_t words_of(uint64_t slots) {
  return (slots + 63) / 64;
}

}  // namespace

void SlotSet::add(SlotRange range) {
  if (range.first >= range.end) return;
  if (words_of(range.end) > words_.size()) words_.resize(words_of(range.end));
  for (uint64_t i = range.first / 64; i < words_of(range.end); ++i) words_[i] |= mask(range, i);
}

void SlotSet::add(const SlotSet& other) {
  if (other.words_.size() > words_.size()) words_.resize(other.words_.size());
  for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
}

void SlotSet::remove(const SlotSet& other) {
  const size_t words = std::min(words_.size(), other.words_.size());
  for (size_t i = 0; i < words; ++i) words_[i] &= ~other.words_[i];
}

bool SlotSet::contains(SlotRange range) const {
  if (range.first >= range.end) return true;
  if (words_of(range.end) > words_.size()) return false;
  for (uint64_t i = range.first / 64; i < words_of(range.end); ++i) {
    const uint64_t wanted = mask(range, i);
    if ((words_[i] & wanted) != wanted) return false;
  }
  return true;
}

std::vector<uint64_t> SlotSet::slots() const {
  std::vector<uint64_t> result;
  for (size_t i = 0; i < words_.size(); ++i) {
    for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
      result.push_back(i * 64 + static_cast<uint64_t>(std::countr_zero(word)));
    }
  }
  return result;
}

}  // namespace eve::state
