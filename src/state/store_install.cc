// Replacing a store's state by a fetched one: done like a batch, so that it can be undone if the
// result is not what was promised.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/references.h"
#include "state/store.h"

namespace eve::state {

/// Empties `slot`, noting in `record` what was there.
void Store::clear_leaf(uint64_t slot, Record& record) {
  Object* object = slot < slots_.size() ? slots_.vacate(slot) : nullptr;
  if (object == nullptr) {
    record.leaves.push_back({slot});
    return;
  }
  Version* version = object->load().version();
  record.leaves.push_back(LeafBefore::of(slot, *object, *version));
  contents_[object->table].remove(*object, *version);
  table_of(*object).restore(*object, Word::absent(0));
}

/// The object that is to hold `leaf`. A free-standing one takes the place, and so the handle, of
/// the free-standing one that was `before` in its slot: leaves that have not changed refer to it
/// so.
Object* Store::installed_object(const Leaf& leaf, Object* before) {
  if (leaf.free_standing && before != nullptr && is_free_standing(*before)) return before;
  const HandleKey fresh(leaf.free_standing ? undo_.next_handle(0) : kNoHandle);
  const Written found = tables_[leaf.table]->object(leaf.free_standing ? fresh.view() : leaf.key);
  if (found.created) {
    undo_.count_memory(leaf.table, static_cast<int64_t>(found.object->footprint()));
  }
  return found.object;
}

/// False if the key has a slot already. References are left to refer().
bool Store::fill_leaf(uint64_t slot, const Leaf& leaf, Object* before) {
  Object* object = installed_object(leaf, before);
  if (object->load().present()) return false;
  Table& table = table_of(*object);
  Version* version = table.make_version(leaf.value, nullptr, leaf.references);
  undo_.count_memory(leaf.table, static_cast<int64_t>(version->footprint()));
  contents_[leaf.table].add(*object, *version);
  table.restore(*object, Word::of(version));
  slots_.place(slot, object);
  return true;
}

/// Gives the object at `slot` its value with the handles of the objects at the slots that the
/// references in it name. One that no object can be behind becomes a reference to nothing that is
/// there; the root tells whether the source meant that.
void Store::refer(uint64_t slot, Bytes value, ByteView references) {
  change_references(references, value.size(), value, [this](uint64_t target) {
    if (target == kNullSlot) return kNoHandle;
    const Object* object = target < slots_.size() ? slots_.at(target) : nullptr;
    if (object == nullptr || !is_free_standing(*object)) return kGoneHandle;
    return HandleKey::handle(object->key());
  });
  Object& object = *slots_.at(slot);
  Version* version = table_of(object).make_version(value, nullptr, references);
  undo_.count_memory(object.table, static_cast<int64_t>(version->footprint()));
  free_version(object, object.load().version());
  table_of(object).restore(object, Word::of(version));
}

Status Store::install(const Target& target, Scheduler& scheduler) {
  EVE_CHECK(!undo_.is_open(), "no batch may be open");
  Record record = new_record();
  for (const auto& [slot, leaf] : target.leaves) clear_leaf(slot, record);
  for (uint64_t slot = target.slots; slot < slots_.size(); ++slot) clear_leaf(slot, record);
  slots_.resize(target.slots);
  bool whole = true;
  for (size_t i = 0; i < target.leaves.size() && whole; ++i) {
    const auto& [slot, leaf] = target.leaves[i];
    whole = !leaf || fill_leaf(slot, *leaf, record.leaves[i].object);
  }
  for (const auto& [slot, leaf] : target.leaves) {
    if (whole && leaf && !leaf->references.empty()) {
      refer(slot, Bytes(leaf->value), leaf->references);
    }
  }
  finish(record, scheduler);
  history_.push(std::move(record));
  last_ = last_.next();
  if (!whole || root_ != target.root) {
    undo_records_after(last_.prev(), scheduler);
    return Error{"the fetched leaves do not add up to the root: fetch another version"};
  }
  pins_.end_all();
  while (!history_.empty()) drop_oldest();
  last_ = committed_ = target.number;
  return {};
}

}  // namespace eve::state
