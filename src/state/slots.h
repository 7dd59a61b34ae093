// Which object is at which leaf of the tree, and which slots are free. Not thread-safe.
//
// Free slots are a bitmap with summaries (a bit above for every word with a bit set), so that
// taking the lowest, and taking that back, cost a step a level whatever the order of adds and
// deletes.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "state/object.h"

namespace eve::state {

/// A set of numbers with a quick minimum.
class NumberSet {
 public:
  void insert(uint64_t number);
  void erase(uint64_t number);
  bool empty() const { return size_ == 0; }
  uint64_t size() const { return size_; }
  /// Precondition: !empty().
  uint64_t lowest() const;
  size_t bytes() const;

 private:
  bool has(uint64_t number) const;

  uint64_t size_ = 0;
  std::vector<std::vector<uint64_t>> levels_ = std::vector<std::vector<uint64_t>>(1);
};

class Slots {
 public:
  uint64_t size() const { return objects_.size(); }
  /// Null for a free slot.
  Object* at(uint64_t slot) const { return objects_[slot]; }

  /// at(slot) is coming up, or no such slot.
  void prefetch(uint64_t slot) const {
    if (slot < size()) __builtin_prefetch(&objects_[slot]);
  }

  /// New slots are free; those cut off must be.
  void resize(uint64_t size);
  /// The lowest free slot; the next new one where there is none.
  uint64_t lowest_free() const { return free_.empty() ? size() : free_.lowest(); }
  /// Puts `object` at `slot`, which must be free or the next new one.
  void place(uint64_t slot, Object* object);
  /// Frees `slot`; returns who was there.
  Object* vacate(uint64_t slot);
  size_t bytes() const { return objects_.size() * sizeof(void*) + free_.bytes(); }

 private:
  std::deque<Object*> objects_;  // not a vector: no copy, and no spare half, when it grows
  NumberSet free_;
};

}  // namespace eve::state
