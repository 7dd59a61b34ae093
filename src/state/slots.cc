#include "state/slots.h"

#include <bit>
#include <utility>

#include "base/check.h"

namespace eve::state {

namespace {

constexpr uint64_t bit(uint64_t number) {
  return uint64_t{1} << (number % 64);
}

}  // namespace

bool NumberSet::has(uint64_t number) const {
  const auto& words = levels_[0];
  return number / 64 < words.size() && (words[number / 64] & bit(number)) != 0;
}

void NumberSet::insert(uint64_t number) {
  if (has(number)) return;
  ++size_;
  for (size_t level = 0;; ++level) {
    auto& words = levels_[level];
    if (words.size() <= number / 64) words.resize(number / 64 + 1);
    words[number / 64] |= bit(number);
    number /= 64;
    if (level + 1 == levels_.size()) {
      if (words.size() == 1) return;
      // A new top has to know every word below it, not only the one just set.
      std::vector<uint64_t> top((words.size() + 63) / 64);
      for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] != 0) top[i / 64] |= bit(i);
      }
      levels_.push_back(std::move(top));
    }
  }
}

void NumberSet::erase(uint64_t number) {
  if (!has(number)) return;
  --size_;
  for (auto& words : levels_) {
    words[number / 64] &= ~bit(number);
    if (words[number / 64] != 0) return;
    number /= 64;
  }
}

uint64_t NumberSet::lowest() const {
  EVE_CHECK(!empty(), "the lowest of none");
  uint64_t number = 0;
  for (size_t level = levels_.size(); level-- > 0;) {
    number = number * 64 + static_cast<uint64_t>(std::countr_zero(levels_[level][number]));
  }
  return number;
}

size_t NumberSet::bytes() const {
  size_t words = 0;
  for (const auto& level : levels_) words += level.size();
  return words * sizeof(uint64_t);
}

void Slots::resize(uint64_t size) {
  for (uint64_t slot = size; slot < objects_.size(); ++slot) {
    EVE_CHECK(objects_[slot] == nullptr, "a slot in use was cut off");
    free_.erase(slot);
  }
  const uint64_t before = objects_.size();
  objects_.resize(size, nullptr);
  for (uint64_t slot = before; slot < size; ++slot) free_.insert(slot);
}

void Slots::place(uint64_t slot, Object* object) {
  if (slot == objects_.size()) {
    objects_.push_back(nullptr);
  }
  EVE_CHECK(objects_[slot] == nullptr, "two objects in one slot");
  objects_[slot] = object;
  object->slot = slot;
  free_.erase(slot);
}

Object* Slots::vacate(uint64_t slot) {
  Object* object = std::exchange(objects_[slot], nullptr);
  if (object != nullptr) {
    object->slot = kNoSlot;
    free_.insert(slot);
  }
  return object;
}

}  // namespace eve::state
