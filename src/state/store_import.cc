// Filling an empty store with a state that comes in parts (import.h). In between, objects are in
// their slots while tree, root and batch numbers still say that there is nothing; so giving up
// means taking the objects out.
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

void Store::import_resize(uint64_t slots) {
  for (uint64_t slot = slots; slot < slots_.size(); ++slot) import_clear(slot);
  slots_.resize(slots);
}

std::optional<uint64_t> Store::import_slot_of(const Leaf& leaf) const {
  if (leaf.free_standing) return std::nullopt;  // it is what its slot says
  const Object* object = tables_[leaf.table]->find(leaf.key);
  if (object == nullptr || object->slot == kNoSlot) return std::nullopt;
  return object->slot;
}

void Store::import_leaf(uint64_t slot, const Leaf& leaf) {
  EVE_CHECK(fill_leaf(slot, leaf, nullptr), "an imported object is there already");
}

void Store::import_clear(uint64_t slot) {
  Object* object = slots_.vacate(slot);
  if (object == nullptr) return;
  Version* version = object->load().version();
  contents_[object->table].remove(*object, *version);
  free_version(*object, version);
  table_of(*object).restore(*object, Word::absent(0));
  remove_if_unused(*object);
}

/// Until all objects are there, their references are slots as they came.
void Store::import_references() {
  for (uint64_t slot = 0; slot < slots_.size(); ++slot) {
    const Object* object = slots_.at(slot);
    if (object == nullptr) continue;
    const Version& version = *object->load().version();
    if (!version.references().empty()) refer(slot, Bytes(version.bytes()), version.references());
  }
}

void Store::import_leave_out(const std::function<bool(ByteView, ByteView)>& stays) {
  for (uint64_t slot = 0; slot < slots_.size(); ++slot) {
    const Object* object = slots_.at(slot);
    if (object == nullptr) continue;
    const ByteView key = is_free_standing(*object) ? ByteView() : object->key();
    if (!stays(tables_[object->table]->name(), key)) import_clear(slot);
  }
}

/// Hashes everything from the objects, not from what the chunks said: what is checked is the state.
Status Store::import_finish(BatchNumber n, const std::optional<crypto::Digest>& root,
                            Scheduler& scheduler) {
  import_references();
  std::vector<uint64_t> all(slots_.size());
  std::iota(all.begin(), all.end(), uint64_t{0});
  tree_.resize(slots_.size());
  update_tree(std::move(all), scheduler);
  if (root && root_ != *root) {
    import_abandon();
    return Error{"the imported leaves do not add up to the root: import another version"};
  }
  pins_.end_all();
  while (!history_.empty()) drop_oldest();
  last_ = committed_ = n;
  return {};
}

void Store::import_abandon() {
  import_resize(0);
  tree_.resize(0);
  root_ = tree_.root();
}

}  // namespace eve::state
