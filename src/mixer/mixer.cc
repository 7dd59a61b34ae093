// Mixing happens in finish(), when all keys are known: the table then never grows half way, and the
// slots of later keys are fetched from memory while earlier ones are worked on.
#include "mixer/mixer.h"

#include <algorithm>

#include "mixer/level_table.h"

namespace eve::mixer {
namespace {

/// How many keys ahead memory is asked for: a few slots' worth of work hides a cache miss.
constexpr size_t kLookAhead = 12;

}  // namespace

struct Mixer::Impl {
  struct Request {
    uint32_t keys_end = 0;  ///< exclusive end in `keys`
    bool alone = false;
    uint32_t level = 0;
  };

  std::vector<Footprint::Key> keys;
  std::vector<Request> requests;
  LevelTable table;
  std::vector<LevelTable::Slot*> slots;  ///< of the request being placed
  MixedBatch mixed;
  uint32_t first_level = 0;  ///< no request goes below: after the last one that is alone
  uint32_t levels = 0;       ///< how many there are so far

  bool find_slots(size_t begin, size_t end);
  uint32_t level_of(size_t begin, size_t end) const;
  void record(size_t begin, size_t end, uint32_t level);
  void place(Request& request, size_t begin);
  void sort_by_level();
};

/// False where a key cannot be looked up in reasonable time.
bool Mixer::Impl::find_slots(size_t begin, size_t end) {
  slots.clear();
  for (size_t k = begin; k < end; ++k) {
    if (k + kLookAhead < keys.size()) table.prefetch(keys[k + kLookAhead].hash);
    LevelTable::Slot* slot = table.find(keys[k].hash);
    if (slot == nullptr) return false;
    slots.push_back(slot);
  }
  return true;
}

uint32_t Mixer::Impl::level_of(size_t begin, size_t end) const {
  uint32_t level = first_level;
  for (size_t k = begin; k < end; ++k) {
    const LevelTable::Slot& slot = *slots[k - begin];
    level = std::max(level, table.level_after(slot.written));
    if (keys[k].write) level = std::max(level, table.level_after(slot.read));
  }
  return level;
}

void Mixer::Impl::record(size_t begin, size_t end, uint32_t level) {
  const uint32_t stamp = table.stamp_of(level);
  for (size_t k = begin; k < end; ++k) {
    LevelTable::Slot& slot = *slots[k - begin];
    uint32_t& last = keys[k].write ? slot.written : slot.read;
    last = std::max(last, stamp);
  }
}

void Mixer::Impl::place(Request& request, size_t begin) {
  const bool alone = request.alone || !find_slots(begin, request.keys_end);
  if (alone) {
    request.level = levels;
    first_level = levels + 1;
  } else {
    request.level = level_of(begin, request.keys_end);
    record(begin, request.keys_end, request.level);
  }
  levels = std::max(levels, request.level + 1);
}

void Mixer::Impl::sort_by_level() {
  mixed.ends.assign(levels, 0);
  for (const Request& request : requests) ++mixed.ends[request.level];
  uint32_t sum = 0;
  for (uint32_t& end : mixed.ends) {
    const uint32_t count = end;
    end = sum;  // where the level begins; the loop below moves it to the end
    sum += count;
  }
  mixed.order.resize(requests.size());
  for (uint32_t i = 0; i < requests.size(); ++i) {
    mixed.order[mixed.ends[requests[i].level]++] = i;
  }
}

Mixer::Mixer() : impl_(std::make_unique<Impl>()) {}
Mixer::~Mixer() = default;

void Mixer::start(size_t requests) {
  impl_->keys.clear();
  impl_->requests.clear();
  impl_->requests.reserve(requests);
}

void Mixer::add(const Footprint& footprint) {
  std::vector<Footprint::Key>& keys = impl_->keys;
  if (!footprint.is_alone()) {
    keys.insert(keys.end(), footprint.keys().begin(), footprint.keys().end());
  }
  impl_->requests.push_back({static_cast<uint32_t>(keys.size()), footprint.is_alone(), 0});
}

const MixedBatch& Mixer::finish() {
  impl_->table.start(impl_->keys.size(), impl_->requests.size());
  impl_->first_level = 0;
  impl_->levels = 0;
  size_t begin = 0;
  for (Impl::Request& request : impl_->requests) {
    impl_->place(request, begin);
    begin = request.keys_end;
  }
  impl_->sort_by_level();
  return impl_->mixed;
}

}  // namespace eve::mixer
