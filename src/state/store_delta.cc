// What a batch has changed as bytes, and a batch made of them (delta.h).
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "state/references.h"
#include "state/store.h"

namespace eve::state {

using Change = DeltaEntry::Change;

namespace {

/// What has changed is scattered over the state: how many leaves before its turn each step towards
/// a leaf's bytes is asked for.
constexpr size_t kAhead = 8;
constexpr size_t kLineBytes = 64;

void prefetch_bytes(Word word) {
  if (!word.present()) return;
  const auto* version = reinterpret_cast<const char*>(word.version());
  __builtin_prefetch(version);
  __builtin_prefetch(version + kLineBytes);
}

}  // namespace

std::optional<DeltaHeader> Store::delta_header(BatchNumber n) const {
  if (n <= oldest() || n > last_) return std::nullopt;
  return DeltaHeader{n, *root_at(n.prev()), *root_at(n)};
}

LeafAt Store::leaf_at(BatchNumber n, uint64_t slot) const {
  if (n < last_) return leaves_at(n, slot, 1).front();
  const Object* object = slots_.at(slot);
  return {object, object == nullptr ? nullptr : object->load().version()};
}

/// What is hashed of a leaf. The value is `value` if there are references in it.
std::optional<Leaf> Store::leaf_as_of(BatchNumber n, const LeafAt& at, Bytes& value) const {
  if (at.object == nullptr) return std::nullopt;
  const bool free_standing = is_free_standing(*at.object);
  const ByteView references = at.version->references();
  Leaf leaf{at.object->table, free_standing ? ByteView() : at.object->key(), at.version->bytes(),
            references, free_standing};
  if (references.empty()) return leaf;
  value.assign(leaf.value);
  change_references(references, value.size(), value,
                    [&](uint64_t handle) { return slot_as_of(n, handle); });
  leaf.value = value;
  return leaf;
}

/// Appends entries of batch `n` for slots from `from` on, until `out` has `enough` bytes. Returns
/// the slot to go on from; nullopt: that was the last one.
std::optional<uint64_t> Store::encode_changes(BatchNumber n, uint64_t from, DeltaEncoder& encoder,
                                              size_t enough, Bytes& out) const {
  EVE_CHECK(!undo_.is_open(), "what a batch changed is read between batches");
  const Record& record = *history_.after(n.prev());
  Bytes value_before;
  Bytes value_after;
  const std::vector<LeafBefore>& leaves = record.leaves;
  const auto first =
      std::lower_bound(leaves.begin(), leaves.end(), from,
                       [](const LeafBefore& leaf, uint64_t slot) { return leaf.slot < slot; });
  auto i = static_cast<size_t>(first - leaves.begin());
  for (; i < leaves.size() && out.size() < enough; ++i) {
    prefetch_change(leaves, i);
    const LeafBefore& leaf = leaves[i];
    const auto before = leaf_as_of(n.prev(), {leaf.object, leaf.version}, value_before);
    const auto after = leaf_as_of(n, leaf_at(n, leaf.slot), value_after);
    encoder.entry(leaf.slot, before, after, leaf.slot >= record.slots_before, out);
  }
  return i == leaves.size() ? std::nullopt : std::optional(leaves[i].slot);
}

/// What the leaves after number `i` were, and what is in their slots now.
void Store::prefetch_change(const std::vector<LeafBefore>& leaves, size_t i) const {
  if (i + 2 * kAhead < leaves.size()) {
    const LeafBefore& far = leaves[i + 2 * kAhead];
    Object::prefetch(far.object);
    far.prefetch_version();
    slots_.prefetch(far.slot);
  }
  if (i + kAhead < leaves.size()) {
    const Object* near = slots_.at(leaves[i + kAhead].slot);
    if (near != nullptr) prefetch_bytes(near->load());
  }
}

/// Checks changes against the state that they are of, and makes what they will need. Nothing can be
/// seen of it. Returns what is wrong.
std::optional<std::string> Store::stage(const std::vector<DeltaEntry>& entries, Staging& staging) {
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto now_at = [&](size_t ahead) -> const Object* {
      const uint64_t slot = i + ahead < entries.size() ? entries[i + ahead].slot : slots_.size();
      return slot < slots_.size() ? slots_.at(slot) : nullptr;
    };
    if (i + 3 * kAhead < entries.size()) slots_.prefetch(entries[i + 3 * kAhead].slot);
    Object::prefetch(now_at(2 * kAhead));
    if (const Object* near = now_at(kAhead)) prefetch_bytes(near->load());
    if (auto why = stage(entries[i], staging)) return why;
  }
  return std::nullopt;
}

std::optional<std::string> Store::stage(const DeltaEntry& entry, Staging& staging) {
  if (staging.leaves.empty()) staging.slots = slots_.size();
  if (entry.slot > staging.slots) return "it skips a slot";
  const bool is_new = entry.slot == staging.slots;
  Bytes value;
  const auto before = is_new ? std::nullopt : leaf_as_of(last_, leaf_at(last_, entry.slot), value);
  Staged staged{entry.slot, nullptr, {}};
  if (entry.change == Change::kFree) {
    if (!before && !is_new) return "it frees a free slot";
  } else if (entry.change == Change::kObject) {
    const auto after = decode_leaf(entry.leaf);
    if (!after || !can_have(*after)) return "a leaf is none that this state can have";
    if (before && is_same_object(*before, *after)) return "an object takes its own place";
    staged.leaf = entry.leaf;
  } else {
    if (!before) return "it changes an object that is not there";
    Bytes changed;
    std::string why;
    const auto after = spliced(*before, entry, changed, why);
    if (!after) return why;
    staged.version = tables_[after->table]->make_version(after->value, nullptr, after->references);
  }
  staging.leaves.push_back(std::move(staged));
  staging.slots += is_new ? 1 : 0;
  return std::nullopt;
}

void Store::unstage(Staging& staging) {
  for (const Staged& staged : staging.leaves) {
    if (staged.version != nullptr) Version::destroy(staged.version, &undo_.recycler());
  }
  staging.leaves.clear();
}

/// Takes out what is at the slot, or gives it its new version; notes in `record` what was there.
void Store::change_leaf(Staged& staged, Record& record) {
  if (staged.version == nullptr) {
    clear_leaf(staged.slot, record);
    Object* object = record.leaves.back().object;
    // As erase() does, and for the same reason.
    if (object != nullptr && is_free_standing(*object)) object->slot = staged.slot;
    return;
  }
  Object& object = *slots_.at(staged.slot);
  Version* before = object.load().version();
  Version* after = std::exchange(staged.version, nullptr);
  record.leaves.push_back(LeafBefore::of(staged.slot, object, *before));
  contents_[object.table].remove(object, *before);
  contents_[object.table].add(object, *after);
  undo_.count_memory(object.table, static_cast<int64_t>(after->footprint()));
  table_of(object).restore(object, Word::of(after));
}

/// A batch that does what is staged. False, and all is as it was, if that does not lead to `root`.
bool Store::apply(Staging& staging, const crypto::Digest& root, Scheduler& scheduler) {
  EVE_CHECK(!undo_.is_open(), "no batch may be open");
  Record record = new_record();
  for (Staged& staged : staging.leaves) change_leaf(staged, record);
  if (!staging.leaves.empty()) slots_.resize(staging.slots);
  bool whole = true;
  for (size_t i = 0; i < staging.leaves.size() && whole; ++i) {
    const Staged& staged = staging.leaves[i];
    whole = staged.leaf.empty() || fill_leaf(staged.slot, *decode_leaf(staged.leaf), nullptr);
  }
  for (const Staged& staged : staging.leaves) {
    const Object* object = whole ? slots_.at(staged.slot) : nullptr;
    if (object == nullptr) continue;
    const Version& version = *object->load().version();
    if (!version.references().empty())
      refer(staged.slot, Bytes(version.bytes()), version.references());
  }
  finish(record, scheduler);
  history_.push(std::move(record));
  last_ = last_.next();
  if (!whole || root_ != root) {
    undo_records_after(last_.prev(), scheduler);
    return false;
  }
  for (const auto& table : tables_) table->end_batch();
#ifdef EVE_VERIFY
  verify_references();
#endif
  return true;
}

}  // namespace eve::state
