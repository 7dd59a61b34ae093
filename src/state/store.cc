#include "state/store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

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

/// A new object with the start of its key beside it: most comparisons need no cache miss.
struct NewObject {
  explicit NewObject(Object* made) : table(made->table), object(made) {
    const ByteView key = made->key();
    for (size_t i = 0; i < sizeof prefix; ++i) {
      prefix = (prefix << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
    }
  }
  bool operator<(const NewObject& other) const {
    if (table != other.table) return table < other.table;
    if (prefix != other.prefix) return prefix < other.prefix;
    return object->key() < other.object->key();
  }

  uint16_t table;
  uint64_t prefix = 0;
  Object* object;
};

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

Store::Store(const crypto::Digester& digester, size_t workers)
    : digester_(digester), undo_(workers), tree_(digester), root_(tree_.root()) {}

Store::~Store() {
  // Objects and current versions go with the tables; the rest is owned here.
  if (undo_.is_open()) discard_writes();
  while (!history_.empty()) drop_oldest();
}

Table& Store::table(ByteView name) {
  for (const auto& table : tables_) {
    if (table->name() == name) return *table;
  }
  EVE_CHECK(last_ == BatchNumber(0) && !undo_.is_open(), "tables are made before the first batch");
  EVE_CHECK(tables_.size() < UINT16_MAX, "too many tables");
  tables_.push_back(std::make_unique<Table>(static_cast<uint16_t>(tables_.size()), Bytes(name),
                                            digester_, undo_));
  return *tables_.back();
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
  std::vector<NewObject> ordered(fresh.begin(), fresh.end());
  std::sort(ordered.begin(), ordered.end());
  for (const NewObject& made : ordered) {
    const uint64_t slot = slots_.lowest_free();
    EVE_CHECK(slot < kMaxSlots, "too many objects");
    slots_.place(slot, made.object);
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

/// No request is inside any more: what only requests could still see goes.
void Store::end_batch() {
  for (const UndoLog::List& list : undo_.lists()) {
    for (const Object* object : list.created) table_of(*object).settle(*object);
  }
  for (UndoLog::List& list : undo_.lists()) {
    for (Version* version : list.retired) free_version(version);
    for (Object* object : list.created) remove_if_unused(*object);
  }
  undo_.close();
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
