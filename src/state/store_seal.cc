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
  for (const ReplacedLevel& level : record.replaced) {
    record.other_bytes += level.indexes.size() * sizeof(uint64_t) + level.digests.size();
  }
}

std::vector<uint64_t> slots_of(const std::vector<LeafBefore>& leaves) {
  std::vector<uint64_t> slots;
  slots.reserve(leaves.size());
  for (const LeafBefore& leaf : leaves) slots.push_back(leaf.slot);
  return slots;
}

/// Of two leaves for one slot (freed, and then taken by a new object) the one that says who was
/// there stays. Both lists are ascending.
void drop_retaken(std::vector<LeafBefore>& taken, const std::vector<uint64_t>& gone) {
  auto freed = gone.begin();
  std::erase_if(taken, [&](const LeafBefore& leaf) {
    while (freed != gone.end() && *freed < leaf.slot) ++freed;
    return freed != gone.end() && *freed == leaf.slot;
  });
}

/// The same for one list in no order.
void sort_leaves(std::vector<LeafBefore>& leaves) {
  std::sort(leaves.begin(), leaves.end(), [](const LeafBefore& a, const LeafBefore& b) {
    if (a.slot != b.slot) return a.slot < b.slot;
    return a.object != nullptr && b.object == nullptr;
  });
  const auto same = [](const LeafBefore& a, const LeafBefore& b) { return a.slot == b.slot; };
  leaves.erase(std::unique(leaves.begin(), leaves.end(), same), leaves.end());
}

/// What hashing a leaf costs; only the split into tasks depends on it.
uint64_t leaf_cost_ns(const crypto::Digester& digester, uint64_t value_bytes) {
  const bool sha = digester.algorithm() == crypto::DigestAlgorithm::kSha256;
  return sha ? 200 + value_bytes * 6 / 10 : 100 + value_bytes / 5;
}

}  // namespace

class Store::HashedLeaves final : public LeafSource {
 public:
  explicit HashedLeaves(const Store& store) : store_(store) {}

  void digest(uint64_t slot, crypto::Digest& out) const override { store_.hash_leaf(slot, out); }

  void prefetch(uint64_t slot, unsigned hops) const override {
    if (hops == 0) return store_.slots_.prefetch(slot);
    const Object* object = store_.slots_.at(slot);
    if (object == nullptr) return;
    if (hops == 1) {
      // With a short key it is hardly longer than a line of the cache, but it may lie across two.
      __builtin_prefetch(object);
      __builtin_prefetch(object + 1);
    } else {
      const auto* version = reinterpret_cast<const char*>(object->load().version());
      for (size_t i = 0; i < 192; i += 64) __builtin_prefetch(version + i);
    }
  }

 private:
  const Store& store_;
};

/// Leaves that have been put back, by position: what each was is known without a look at its slot.
class Store::RestoredLeaves final : public LeafSource {
 public:
  RestoredLeaves(const Store& store, const std::vector<LeafBefore>& leaves)
      : store_(store), leaves_(leaves) {}

  void digest(uint64_t position, crypto::Digest& out) const override {
    const LeafBefore& leaf = leaves_[position];
    // What it holds is taken from the object: that it has been put back is what is to be shown.
    const Word now = leaf.object == nullptr ? Word() : leaf.object->load();
    if (now.present() && leaf.object->slot == leaf.slot) {
      store_.hash_version(*leaf.object, *now.version(), out);
    }
  }

  void prefetch(uint64_t position, unsigned hops) const override {
    const LeafBefore& leaf = leaves_[position];
    if (hops != 0 || leaf.object == nullptr) return;
    Object::prefetch(leaf.object);
    leaf.prefetch_version();
  }

 private:
  const Store& store_;
  const std::vector<LeafBefore>& leaves_;
};

void Store::place(Object* made, Record& record) {
  const uint64_t slot = slots_.lowest_free();
  EVE_CHECK(slot < kMaxSlots, "too many objects");
  slots_.place(slot, made);
  record.leaves.push_back({slot});
}

/// Gives new objects, in a deterministic order, the lowest free slots (DESIGN 5.3).
void Store::place_new(std::vector<Object*> fresh, Record& record) {
  if (graph_ != nullptr) {
    std::erase_if(fresh, [this](const Object* object) { return is_free_standing(*object); });
  }
  fresh = in_slot_order(fresh);
  for (Object* made : fresh) place(made, record);
  place_births(fresh, record);
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
#ifdef EVE_VERIFY
  verify_undo();
#endif
  Record record = new_record();
  uint64_t value_bytes = 0;
  const LeafRuns leaves = settle_leaves(record, scheduler, value_bytes);
  end_batch();
  hash_leaves(leaves, value_bytes, record, scheduler);
  count_bytes(record);
  history_.push(std::move(record));
  last_ = last_.next();
#ifdef EVE_VERIFY
  EVE_CHECK(recompute_root() == root_, "the tree is not that of the objects");
#endif
  return root_;
}

/// Frees the slots of deleted objects and gives new ones theirs; returns all leaves that the batch
/// has changed, and in `value_bytes` the size of what they hold.
LeafRuns Store::settle_leaves(Record& record, Scheduler& scheduler, uint64_t& value_bytes) {
  const bool graph_works = graph_at_work();
  std::vector<Changes> changes = collect_changes(undo_, scheduler);
  std::vector<uint64_t> gone;
  std::vector<Object*> fresh;
  LeafRuns leaves;
  for (Changes& part : changes) {
    gone.insert(gone.end(), part.gone.begin(), part.gone.end());
    fresh.insert(fresh.end(), part.fresh.begin(), part.fresh.end());
    for (const auto& [object, before] : part.superseded) undo_.retire(*object, before.version());
    for (size_t i = 0; i < contents_.size(); ++i) contents_[i] += part.contents[i];
    record.version_bytes += part.version_bytes;
    value_bytes += part.value_bytes;
    if (!graph_works) {
      leaves.add(std::move(part.leaves));
    } else {  // all of them are looked at for references
      record.leaves.insert(record.leaves.end(), part.leaves.begin(), part.leaves.end());
    }
  }
  std::sort(gone.begin(), gone.end());
  for (const uint64_t slot : gone) slots_.vacate(slot);
  place_new(std::move(fresh), record);
  if (!graph_works) {
    drop_retaken(record.leaves, gone);
  } else {
    collect_garbage(record);
    sort_leaves(record.leaves);
    count_gone(record.leaves);
  }
  leaves.add(std::move(record.leaves));
  return leaves;
}

/// Puts down which objects of `leaves` are absent now, at the end of the batch.
void Store::count_gone(std::vector<LeafBefore>& leaves) {
  for (LeafBefore& leaf : leaves) {
    if (leaf.object == nullptr) continue;
    const bool gone = !leaf.object->load().present();
    if (gone && !leaf.gone) ++leaf.object->references;
    if (!gone && leaf.gone) --leaf.object->references;
    leaf.gone = gone;
  }
}

/// Hashes `leaves`, which become the record's, and all above them; sets the root.
void Store::hash_leaves(const LeafRuns& leaves, uint64_t value_bytes, Record& record,
                        Scheduler& scheduler) {
  tree_.resize(slots_.size());
  record.leaves = std::vector<LeafBefore>(leaves.size());
  if (leaves.size() > 0) {
    // Some for each part that cut() may want; sorting more would take longer than they save.
    const size_t sample = std::max<size_t>(128 * scheduler.workers(), leaves.size() / 256);
    const uint64_t leaf_ns = leaf_cost_ns(digester_, value_bytes / leaves.size());
    const Cuts cuts = tree_.cut(leaves.size(), leaves.sample(sample), leaf_ns, scheduler);
    std::vector<Replaced> parts(cuts.parts());
    const HashedLeaves source(*this);
    const auto hash_part = [&](size_t i) {
      LeafBefore* out = record.leaves.data() + leaves.before(cuts.first[i]);
      parts[i] =
          tree_.update_part(leaves.merge(cuts.first[i], cuts.end(i), out), cuts.height, source);
    };
    if (parts.size() == 1) {
      hash_part(0);
    } else {
      scheduler.run(parts.size(), tree_.part_ns(leaves.size() / parts.size(), leaf_ns),
                    [&](size_t, size_t i) { hash_part(i); });
    }
    record.replaced = tree_.update_top(std::move(parts), cuts.height, scheduler);
  }
  root_ = tree_.root();
}

/// Hashes what `record`, of an installed state, has changed.
void Store::finish(Record& record, Scheduler& scheduler) {
  tree_.resize(slots_.size());
  record.replaced = update_tree(slots_of(record.leaves), scheduler);
  count_gone(record.leaves);
  for (const LeafBefore& leaf : record.leaves) {
    if (leaf.version != nullptr) record.version_bytes += allocated(leaf.version_size);
  }
  count_bytes(record);
}

/// No request is inside any more: what only requests could still see goes.
void Store::end_batch() {
#ifdef EVE_VERIFY
  verify_unreachable();
#endif
  for (const UndoLog::List& list : undo_.lists()) {
    for (const Object* object : list.created) table_of(*object).settle(*object);
  }
  for (const auto& table : tables_) table->end_batch();
  for (UndoLog::List& list : undo_.lists()) {
    for (Version* version : list.retired) Version::destroy(version, &undo_.recycler());
    for (Object* object : list.created) remove_if_unused(*object);
  }
  undo_.close();
}

void Store::hash_leaf(uint64_t slot, crypto::Digest& out) const {
  const Object* object = slots_.at(slot);
  if (object != nullptr) hash_version(*object, *object->load().version(), out);
}

void Store::hash_version(const Object& object, const Version& version, crypto::Digest& out) const {
  thread_local Bytes payload;
  payload.clear();
  encode_now(object, version, payload);
  out = digester_.digest(payload);
  constexpr size_t kKeep = size_t{1} << 20;  // a rare huge value is not to stay for ever
  if (payload.capacity() > kKeep) Bytes().swap(payload);
}

/// The size of what these slots hold: a guess from a sample.
uint64_t Store::value_bytes(const std::vector<uint64_t>& slots) const {
  uint64_t bytes = 0;
  constexpr size_t kSample = 16;
  for (size_t i = 0; i < kSample; ++i) {
    const Object* object = slots_.at(slots[i * slots.size() / kSample]);
    if (object != nullptr) bytes += object->load().version()->bytes().size();
  }
  return bytes / kSample;
}

/// Whether each of these leaves is again what it was and what the tree says.
bool Store::are_restored(const std::vector<LeafBefore>& leaves, Scheduler& scheduler) const {
  if (leaves.empty()) return true;
  const std::vector<uint64_t> slots = slots_of(leaves);
  const uint64_t leaf_ns = leaf_cost_ns(digester_, value_bytes(slots));
  return tree_.check_leaves(slots, RestoredLeaves(*this, leaves), leaf_ns, scheduler);
}

/// Hashes `dirty` (slots beyond the end are ignored) and everything above, and sets the root.
/// Returns the digests that were there before.
Replaced Store::update_tree(std::vector<uint64_t> dirty, Scheduler& scheduler) {
  const uint64_t slots = tree_.slots();
  if (!dirty.empty() && dirty.back() >= slots) {
    dirty.erase(std::lower_bound(dirty.begin(), dirty.end(), slots), dirty.end());
    // The tree has shrunk: its right edge has other children than before.
    if (slots > 0 && (dirty.empty() || dirty.back() != slots - 1)) dirty.push_back(slots - 1);
  }
  Replaced replaced;
  if (!dirty.empty()) {
    const uint64_t leaf_ns = leaf_cost_ns(digester_, value_bytes(dirty));
    replaced = tree_.update(std::move(dirty), HashedLeaves(*this), leaf_ns, scheduler);
  }
  root_ = tree_.root();
  return replaced;
}

}  // namespace eve::state
