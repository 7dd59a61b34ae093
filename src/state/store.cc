#include "state/store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace eve::state {

Store::Store(const crypto::Digester& digester, size_t workers)
    : digester_(digester), undo_(workers), tree_(digester), root_(tree_.root()) {}

Store::~Store() {
  // Objects and current versions go with the tables; the rest is owned here.
  if (undo_.is_open()) discard_writes();
  while (!history_.empty()) drop_oldest();
}

Table& Store::table(ByteView name, TableKind kind) {
  for (const auto& table : tables_) {
    if (table->name() != name) continue;
    EVE_CHECK(table->kind() == kind, "two kinds of container under one name");
    return *table;
  }
  EVE_CHECK(last_ == BatchNumber(0) && !undo_.is_open(), "tables are made before the first batch");
  EVE_CHECK(tables_.size() < UINT16_MAX, "too many tables");
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
  for (UndoLog::List& list : undo_.lists()) {
    while (list.entries.size() > list.mark) {
      const auto [object, before] = list.entries.back();
      list.entries.pop_back();
      const Word now = object->load();
      if (now.present()) list.retired.push_back(now.version());
      table_of(*object).restore(*object, before);
    }
  }
}

/// Undoes all writes of the open batch. Every version that it made, or replaced a second time, ends
/// up retired.
void Store::discard_writes() {
  for (UndoLog::List& list : undo_.lists()) {
    for (const UndoLog::Entry& entry : list.entries) {
      if (!undo_.is_first(entry)) {
        if (entry.before.present()) list.retired.push_back(entry.before.version());
        continue;
      }
      const Word now = entry.object->load();
      if (now.present()) list.retired.push_back(now.version());
      table_of(*entry.object).restore(*entry.object, entry.before);
    }
  }
  end_batch();
}

void Store::commit(BatchNumber n) {
  EVE_CHECK(!undo_.is_open() && n <= last_, "only sealed batches commit");
  committed_ = std::max(committed_, n);
  trim_history();
}

void Store::rollback(BatchNumber n, Scheduler& scheduler) {
  EVE_CHECK(committed_ <= n && n <= last_, "a committed batch is never undone");
  if (undo_.is_open()) discard_writes();
  undo_records_after(n, scheduler);
}

/// Puts back what `record` replaced. Two passes, because an installed state may have moved an
/// object from one slot to another.
void Store::undo(Record& record, std::vector<uint64_t>& dirty, std::vector<Object*>& vacated) {
  for (const LeafBefore& leaf : record.leaves) {
    Object* object = leaf.slot < slots_.size() ? slots_.vacate(leaf.slot) : nullptr;
    dirty.push_back(leaf.slot);
    if (object == nullptr) continue;
    free_version(object->load().version());
    table_of(*object).restore(*object, Word::absent(0));
    vacated.push_back(object);
  }
  slots_.resize(record.slots_before);
  for (const LeafBefore& leaf : record.leaves) {
    if (leaf.object == nullptr) continue;
    slots_.place(leaf.slot, leaf.object);
    table_of(*leaf.object).restore(*leaf.object, Word::of(leaf.version));
    --leaf.object->references;
  }
}

void Store::undo_records_after(BatchNumber n, Scheduler& scheduler) {
  if (n == last_) return;
  const crypto::Digest root = history_.after(n)->root_before;
  std::vector<uint64_t> dirty;
  std::vector<Object*> vacated;
  while (last_ > n) {
    undo(history_.newest(), dirty, vacated);
    history_.pop_newest();
    last_ = last_.prev();
  }
  std::sort(vacated.begin(), vacated.end());
  vacated.erase(std::unique(vacated.begin(), vacated.end()), vacated.end());
  for (Object* object : vacated) remove_if_unused(*object);

  std::sort(dirty.begin(), dirty.end());
  dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
  tree_.resize(slots_.size());
  update_tree(dirty, scheduler, nullptr);
  EVE_CHECK(root_ == root, "rollback did not restore the root");
}

void Store::drop_oldest() {
  for (const LeafBefore& leaf : history_.oldest().leaves) {
    if (leaf.object == nullptr) continue;
    free_version(leaf.version);
    --leaf.object->references;
    remove_if_unused(*leaf.object);
  }
  history_.pop_oldest();
}

void Store::trim_history() {
  const auto too_much = [&] {
    const uint64_t kept = committed_.value() - oldest().value();
    return kept > limits::kHistoryBatches || (kept > 1 && history_.bytes() > kHistoryBytes);
  };
  while (committed_ > oldest() && too_much()) drop_oldest();
}

void Store::remove_if_unused(Object& object) {
  if (object.references > 0 || object.load().present()) return;
  freed_bytes_ += static_cast<int64_t>(object.footprint());
  table_of(object).remove(object);
}

void Store::free_version(Version* version) {
  freed_bytes_ += static_cast<int64_t>(version->footprint());
  Version::destroy(version);
}

}  // namespace eve::state
