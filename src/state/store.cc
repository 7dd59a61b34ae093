#include "state/store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "state/verify.h"

namespace eve::state {

namespace {

// What a record names is scattered over the state: waiting for each would make going back and
// forgetting slower the larger the state is.
constexpr size_t kAhead = 16;

/// Asks for what the object of a leaf further on holds now.
void prefetch_now(const std::vector<LeafBefore>& leaves, size_t i) {
  if (i >= leaves.size() || leaves[i].object == nullptr) return;
  const Word now = leaves[i].object->load();
  if (now.present()) __builtin_prefetch(now.version());
}

/// Of the leaves of several records, newest record first, the oldest for each slot; ascending.
void keep_oldest(std::vector<LeafBefore>& leaves) {
  const auto by_slot = [](const LeafBefore& a, const LeafBefore& b) { return a.slot < b.slot; };
  // One record's are ascending already.
  if (std::is_sorted(leaves.begin(), leaves.end(), by_slot)) {
    const auto same = [](const LeafBefore& a, const LeafBefore& b) { return a.slot == b.slot; };
    if (std::adjacent_find(leaves.begin(), leaves.end(), same) == leaves.end()) return;
  }
  std::stable_sort(leaves.begin(), leaves.end(), by_slot);
  size_t kept = 0;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (i + 1 == leaves.size() || leaves[i + 1].slot != leaves[i].slot) leaves[kept++] = leaves[i];
  }
  leaves.erase(leaves.begin() + static_cast<ptrdiff_t>(kept), leaves.end());
}

}  // namespace

Store::Store(const crypto::Digester& digester, size_t workers, const HistoryLimits& limits)
    : digester_(digester),
      undo_(workers),
      tree_(digester),
      history_limits_(limits),
      root_(tree_.root()) {
  EVE_CHECK(std::max(limits.batches, limits.pinned_batches) < UINT16_MAX / 2,
            "an object counts the batches that name it in 16 bits");
}

Store::~Store() {
  // Objects and current versions go with the tables; the rest is owned here.
  pins_.end_all();
  if (undo_.is_open()) discard_writes();
  while (!history_.empty()) drop_oldest();
}

Table& Store::table(ByteView name, TableKind kind) {
  for (const auto& table : tables_) {
    if (table->name() == name) return *table;
  }
  EVE_CHECK(last_ == BatchNumber(0) && !undo_.is_open(), "tables are made before the first batch");
  EVE_CHECK(tables_.size() < UINT16_MAX, "too many tables");
  undo_.add_table();
  contents_.emplace_back();
  tables_.push_back(std::make_unique<Table>(static_cast<uint16_t>(tables_.size()), Bytes(name),
                                            kind, digester_, undo_));
  Table& made = *tables_.back();
  if (kind == TableKind::kGraph) make_graph(made);
  made.refer_to(graph_);
  return made;
}

void Store::begin(BatchNumber n) {
  EVE_CHECK(!undo_.is_open() && n == last_.next(), "batches follow one another");
  undo_.open();
}

void Store::mark() {
  EVE_CHECK(undo_.is_open(), "no batch is open");
  undo_.mark();
}

void Store::undo_to_mark() {
  EVE_CHECK(undo_.is_open(), "no batch is open");
#ifdef EVE_VERIFY
  verify_marked(undo_);
#endif
  for (UndoLog::List& list : undo_.lists()) {
    while (list.entries.size() > list.mark) {
      const auto [object, before] = list.entries.back();
      list.entries.pop_back();
      const Word now = object->load();
      if (now.present()) undo_.retire(*object, now.version());
      table_of(*object).restore(*object, before);
    }
  }
}

/// Undoes all writes of the open batch. Every version that it made, or replaced a second time, ends
/// up retired.
void Store::discard_writes() {
#ifdef EVE_VERIFY
  verify_undo();
#endif
  for (UndoLog::List& list : undo_.lists()) {
    for (const UndoLog::Entry& entry : list.entries) {
      if (!undo_.is_first(entry)) {
        if (entry.before.present()) undo_.retire(*entry.object, entry.before.version());
        continue;
      }
      const Word now = entry.object->load();
      if (now.present()) undo_.retire(*entry.object, now.version());
      table_of(*entry.object).restore(*entry.object, entry.before);
    }
  }
  end_batch();
}

void Store::commit(BatchNumber n) {
  EVE_CHECK(!undo_.is_open() && n <= last_, "only sealed batches commit");
  const BatchNumber before = committed_;
  committed_ = std::max(committed_, n);
  pins_.note(history_, committed_);
  trim_history(committed_.value() - before.value());
#ifdef EVE_VERIFY
  verify_references();
#endif
}

void Store::rollback(BatchNumber n, Scheduler& scheduler) {
  EVE_CHECK(committed_ <= n && n <= last_, "a committed batch is never undone");
  if (undo_.is_open()) discard_writes();
  pins_.end_after(n);
  undo_records_after(n, scheduler);
}

/// Puts back what `record` replaced. Two passes, because an installed state may have moved an
/// object from one slot to another.
void Store::undo(const Record& record, std::vector<Object*>& vacated) {
  std::vector<const LeafBefore*> displaced;
  for (size_t i = 0; i < record.leaves.size(); ++i) {
    if (i + 2 * kAhead < record.leaves.size()) {
      const LeafBefore& far = record.leaves[i + 2 * kAhead];
      Object::prefetch(far.object);
      far.prefetch_version();
      if (far.object == nullptr) slots_.prefetch(far.slot);
    }
    prefetch_now(record.leaves, i + kAhead);
    const LeafBefore& leaf = record.leaves[i];
    Object* object = object_now(leaf);
    if (object != leaf.object && leaf.object != nullptr) displaced.push_back(&leaf);
    if (object == nullptr) continue;
    Version* version = object->load().version();
    contents_[object->table].remove(*object, *version);
    if (object == leaf.object) {
      restore_leaf(leaf);
    } else {
      slots_.vacate(leaf.slot);
      table_of(*object).restore(*object, Word::absent(0));
      vacated.push_back(object);
    }
    free_version(*object, version);
  }
  slots_.resize(record.slots_before);
  for (const LeafBefore* leaf : displaced) {
    slots_.place(leaf->slot, leaf->object);
    restore_leaf(*leaf);
  }
}

/// Who is at the leaf's slot. Mostly who was there before, and that needs no look at the slot.
Object* Store::object_now(const LeafBefore& leaf) const {
  if (leaf.object != nullptr && leaf.object->slot == leaf.slot && leaf.object->load().present()) {
    return leaf.object;
  }
  return leaf.slot < slots_.size() ? slots_.at(leaf.slot) : nullptr;
}

/// Gives the leaf's object back what it held.
void Store::restore_leaf(const LeafBefore& leaf) {
  table_of(*leaf.object).restore(*leaf.object, Word::of(leaf.version));
  contents_[leaf.object->table].add(*leaf.object, *leaf.version);
  if (leaf.gone) --leaf.object->references;
}

/// Undoes the batches after `n`, and the tree with them: digests are put back, and each leaf that
/// was touched is hashed anew and must have the one that was put back.
void Store::undo_records_after(BatchNumber n, Scheduler& scheduler) {
  if (n == last_) return;
  const crypto::Digest root = history_.after(n)->root_before;
  std::vector<LeafBefore> undone;
  std::vector<Object*> vacated;
  while (last_ > n) {
    Record& record = history_.newest();
    undo(record, vacated);
    tree_.restore(record.replaced, record.slots_before);
    if (undone.empty()) {
      undone = std::move(record.leaves);
    } else {
      undone.insert(undone.end(), record.leaves.begin(), record.leaves.end());
    }
    history_.pop_newest();
    last_ = last_.prev();
  }
  std::sort(vacated.begin(), vacated.end());
  vacated.erase(std::unique(vacated.begin(), vacated.end()), vacated.end());
  for (Object* object : vacated) remove_if_unused(*object);

  keep_oldest(undone);
  while (!undone.empty() && undone.back().slot >= slots_.size()) undone.pop_back();
  EVE_CHECK(are_restored(undone, scheduler), "rollback did not restore the leaves");
  root_ = tree_.root();
  EVE_CHECK(root_ == root, "rollback did not restore the root");
#ifdef EVE_VERIFY
  EVE_CHECK(recompute_root() == root_, "rollback did not restore the tree");
  verify_references();
#endif
}

void Store::drop_oldest() {
  const std::vector<LeafBefore>& leaves = history_.oldest().leaves;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (i + kAhead < leaves.size() && leaves[i + kAhead].gone) {
      Object::prefetch(leaves[i + kAhead].object);
    }
    const LeafBefore& leaf = leaves[i];
    if (leaf.object == nullptr) continue;
    free_version(leaf);
    if (!leaf.gone) continue;
    --leaf.object->references;
    remove_if_unused(*leaf.object);
  }
  history_.pop_oldest();
}

/// `added`: batches that have been committed since it was last called. What a reader kept goes
/// little by little once it is let go, but faster than it comes: else one commit would take long.
void Store::trim_history(uint64_t added) {
  constexpr size_t kLeavesAtOnce = 4096;
  uint64_t dropped = 0;
  size_t leaves = 0;
  const auto too_much = [&](uint64_t batches, size_t bytes) {
    const uint64_t kept = committed_.value() - oldest().value();
    return kept > batches || (kept > 1 && history_.bytes() > bytes);
  };
  const HistoryLimits& limits = history_limits_;
  while (committed_ > oldest() && too_much(limits.batches, limits.bytes)) {
    if (dropped >= 2 * added && leaves >= kLeavesAtOnce) return;
    const BatchNumber n = oldest();
    if (pins_.hold(n)) {
      if (!too_much(limits.pinned_batches, limits.pinned_bytes)) return;
      // As far as it goes: a reader is to be moved once, not at every commit.
      pins_.note(history_, committed_);
      pins_.move(n, committed_);
    }
    ++dropped;
    leaves += history_.oldest().leaves.size();
    drop_oldest();
  }
}

void Store::remove_if_unused(Object& object) {
  if (object.references > 0 || object.load().present()) return;
  undo_.count_memory(object.table, -static_cast<int64_t>(object.footprint()));
  table_of(object).remove(object);
}

void Store::free_version(const Object& object, Version* version) {
  undo_.count_memory(object.table, -static_cast<int64_t>(version->footprint()));
  Version::destroy(version, &undo_.recycler());
}

/// What the leaf was before: neither object nor version is looked at.
void Store::free_version(const LeafBefore& leaf) {
  undo_.count_memory(leaf.table, -static_cast<int64_t>(allocated(leaf.version_size)));
  Version::destroy(leaf.version, leaf.version_size, undo_.recycler());
}

}  // namespace eve::state
