// Replacing a store's state by a fetched one: done like a batch, so that it can be undone if the
// result is not what was promised.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

/// Empties `slot`, noting in `record` what was there.
void Store::clear_leaf(uint64_t slot, Record& record) {
  Object* object = slot < slots_.size() ? slots_.vacate(slot) : nullptr;
  if (object == nullptr) {
    record.leaves.push_back({slot, nullptr, nullptr});
    return;
  }
  record.leaves.push_back({slot, object, object->load().version()});
  ++object->references;
  table_of(*object).restore(*object, Word::absent(0));
}

/// False if the key has a slot already.
bool Store::fill_leaf(uint64_t slot, const Leaf& leaf) {
  Table& table = *tables_[leaf.table];
  const Written found = table.object(leaf.key);
  if (found.before.present()) return false;
  Version* version = table.make_version(leaf.value);
  freed_bytes_ -= static_cast<int64_t>(version->footprint());
  if (found.created) freed_bytes_ -= static_cast<int64_t>(found.object->footprint());
  table.restore(*found.object, Word::of(version));
  slots_.place(slot, found.object);
  return true;
}

Status Store::install(const Target& target, Scheduler& scheduler) {
  EVE_CHECK(!undo_.is_open(), "no batch may be open");
  Record record = new_record();
  for (const auto& [slot, leaf] : target.leaves) clear_leaf(slot, record);
  for (uint64_t slot = target.slots; slot < slots_.size(); ++slot) clear_leaf(slot, record);
  slots_.resize(target.slots);
  bool whole = true;
  for (const auto& [slot, leaf] : target.leaves) {
    whole = whole && (!leaf || fill_leaf(slot, *leaf));
  }
  finish(record, scheduler);
  history_.push(std::move(record));
  last_ = last_.next();
  if (!whole || root_ != target.root) {
    undo_records_after(last_.prev(), scheduler);
    return Error{"the fetched leaves do not add up to the root: fetch another version"};
  }
  while (!history_.empty()) drop_oldest();
  last_ = committed_ = target.number;
  return {};
}

}  // namespace eve::state
