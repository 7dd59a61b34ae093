// The end of a batch: what it changed becomes a record, new objects get slots, dirty paths are
// hashed.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/placement.h"
#include "state/store.h"

namespace eve::state {

namespace {

void count_bytes(Record& record) {
  record.other_bytes = sizeof(Record) + record.leaves.size() * sizeof(LeafBefore);
  for (const LeafBefore& leaf : record.leaves) {
    if (leaf.version != nullptr) record.version_bytes += leaf.version->footprint();
  }
  for (const ReplacedLevel& level : record.replaced) {
    record.other_bytes += level.indexes.size() * sizeof(uint64_t) + level.digests.size();
  }
}

std::vector<uint64_t> slots_of(const Record& record) {
  std::vector<uint64_t> slots;
  slots.reserve(record.leaves.size());
  for (const LeafBefore& leaf : record.leaves) slots.push_back(leaf.slot);
  return slots;
}

/// By slot; of two entries for one slot (freed, and then taken by a new object) the one that says
/// who was there.
void sort_leaves(std::vector<LeafBefore>& leaves) {
  std::sort(leaves.begin(), leaves.end(), [](const LeafBefore& a, const LeafBefore& b) {
    if (a.slot != b.slot) return a.slot < b.slot;
    return a.object != nullptr && b.object == nullptr;
  });
  const auto same = [](const LeafBefore& a, const LeafBefore& b) { return a.slot == b.slot; };
  leaves.erase(std::unique(leaves.begin(), leaves.end(), same), leaves.end());
}

}  // namespace

/// What the open batch has changed, into `record`; slots of deleted objects become free. Returns
/// the objects that have come into being.
std::vector<Object*> Store::collect_changes(Record& record) {
  std::vector<Object*> fresh;
  for (UndoLog::List& list : undo_.lists()) {
    for (const auto& [object, before] : list.entries) {
      if (!undo_.is_first(UndoLog::Entry{object, before})) {
        if (before.present()) list.retired.push_back(before.version());
        continue;
      }
      const bool present = object->load().present();
      if (before.present()) {
        record.leaves.push_back({object->slot, object, before.version()});
        ++object->references;
        if (!present) slots_.vacate(object->slot);
      } else if (present) {
        fresh.push_back(object);
      }
    }
  }
  return fresh;
}

/// Gives new objects, in the order of (table, key), the lowest free slots (DESIGN 5.3).
void Store::place_new(const std::vector<Object*>& fresh, Record& record) {
  for (Object* made : in_slot_order(fresh)) {
    const uint64_t slot = slots_.lowest_free();
    EVE_CHECK(slot < kMaxSlots, "too many objects");
    slots_.place(slot, made);
    record.leaves.push_back({slot, nullptr, nullptr});
  }
}

Record Store::new_record() const {
  Record record;
  record.number = last_.next();
  record.root_before = root_;
  record.slots_before = slots_.size();
  return record;
}

crypto::Digest Store::seal(Scheduler& scheduler) {
  EVE_CHECK(undo_.is_open(), "no batch is open");
  Record record = new_record();
  place_new(collect_changes(record), record);
  sort_leaves(record.leaves);
  end_batch();
  finish(record, scheduler);
  history_.push(std::move(record));
  last_ = last_.next();
#ifdef EVE_VERIFY
  EVE_CHECK(recompute_root() == root_, "the tree is not that of the objects");
#endif
  return root_;
}

/// Hashes what `record` has changed.
void Store::finish(Record& record, Scheduler& scheduler) {
  tree_.resize(slots_.size());
  update_tree(slots_of(record), scheduler, &record.replaced);
  count_bytes(record);
}

/// No request is inside any more: what only requests could still see goes.
void Store::end_batch() {
  for (const UndoLog::List& list : undo_.lists()) {
    for (const Object* object : list.created) table_of(*object).settle(*object);
  }
  for (const auto& table : tables_) table->end_batch();
  for (UndoLog::List& list : undo_.lists()) {
    for (Version* version : list.retired) free_version(version);
    for (Object* object : list.created) remove_if_unused(*object);
  }
  undo_.close();
}

void Store::hash_leaf(uint64_t slot, crypto::Digest& out) const {
  const Object* object = slots_.at(slot);
  if (object == nullptr) return;
  thread_local Bytes payload;
  payload.clear();
  encode_leaf({object->table, object->key(), object->load().version()->bytes()}, payload);
  out = digester_.digest(payload);
  constexpr size_t kKeep = size_t{1} << 20;  // a rare huge value is not to stay for ever
  if (payload.capacity() > kKeep) Bytes().swap(payload);
}

/// What hashing one of these leaves costs, from a sample; only the split into tasks depends on it.
uint64_t Store::leaf_ns(const std::vector<uint64_t>& dirty) const {
  const bool sha = digester_.algorithm() == crypto::DigestAlgorithm::kSha256;
  uint64_t bytes = 0;
  constexpr size_t kSample = 16;
  for (size_t i = 0; i < kSample; ++i) {
    const Object* object = slots_.at(dirty[i * dirty.size() / kSample]);
    if (object != nullptr) bytes += object->load().version()->bytes().size();
  }
  return sha ? 400 + bytes / kSample * 6 / 10 : 150 + bytes / kSample / 5;
}

/// Hashes `dirty` (slots beyond the end are ignored) and everything above, and sets the root.
void Store::update_tree(std::vector<uint64_t> dirty, Scheduler& scheduler, Replaced* replaced) {
  const uint64_t slots = tree_.slots();
  if (!dirty.empty() && dirty.back() >= slots) {
    dirty.erase(std::lower_bound(dirty.begin(), dirty.end(), slots), dirty.end());
    // The tree has shrunk: its right edge has other children than before.
    if (slots > 0 && (dirty.empty() || dirty.back() != slots - 1)) dirty.push_back(slots - 1);
  }
  if (!dirty.empty()) {
    const auto leaf = [this](uint64_t slot, crypto::Digest& out) { hash_leaf(slot, out); };
    tree_.update(dirty, leaf, leaf_ns(dirty), scheduler, replaced);
  }
  root_ = tree_.root();
}

}  // namespace eve::state
