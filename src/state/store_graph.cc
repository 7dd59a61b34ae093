// What a store does for object graphs: references as slots, the placement of free-standing objects,
// and the garbage collector's writes.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/gc.h"
#include "state/placement.h"
#include "state/references.h"
#include "state/store.h"

namespace eve::state {

namespace {

template <typename SlotOf>
void encode(const Object& object, const Version& version, bool free_standing, const SlotOf& slot_of,
            Bytes& payload) {
  const ByteView references = version.references();
  const ByteView key = free_standing ? ByteView() : object.key();
  encode_leaf({object.table, key, version.bytes(), references, free_standing}, payload);
  change_references(references, version.bytes().size(), payload, slot_of);
}

bool same(const Version& a, const Version& b) {
  return a.bytes() == b.bytes() && a.references() == b.references();
}

}  // namespace

void Store::make_graph(Table& graph) {
  graph_ = &graph;
  collector_ = &table("eve.gc", TableKind::kGarbage);
  for (const auto& table : tables_) table->refer_to(graph_);
}

/// Handles are local: a leaf names objects by their slots, now or as of batch `n`.
uint64_t Store::slot_of(uint64_t handle) const {
  if (handle == kNoHandle) return kNullSlot;
  const Object* object = graph_ == nullptr ? nullptr : graph_->named(handle);
  return object != nullptr && object->load().present() ? object->slot : kGoneSlot;
}

uint64_t Store::slot_as_of([[maybe_unused]] BatchNumber n, uint64_t handle) const {
  if (handle == kNoHandle) return kNullSlot;
  // It has had one slot all its life, and is known for as long as a record names it (store.h). What
  // a version refers to was there then (gc.h, D; make_good_version).
  const Object* object = graph_ == nullptr ? nullptr : graph_->named(handle);
  if (object == nullptr || object->slot == kNoSlot) return kGoneSlot;
#ifdef EVE_VERIFY
  EVE_CHECK(leaves_at(n, object->slot, 1).front().object == object, "a reference to what was gone");
#endif
  return object->slot;
}

void Store::encode_now(const Object& object, const Version& version, Bytes& payload) const {
  encode(
      object, version, is_free_standing(object),
      [this](uint64_t handle) { return slot_of(handle); }, payload);
}

void Store::encode_as_of(BatchNumber n, const Object& object, const Version& version,
                         Bytes& payload) const {
  encode(
      object, version, is_free_standing(object),
      [&](uint64_t handle) { return slot_as_of(n, handle); }, payload);
}

bool Store::can_have(const Leaf& leaf) const {
  return leaf.table < tables_.size() &&
         leaf.free_standing == (tables_[leaf.table]->kind() == TableKind::kGraph);
}

/// The existing objects that the batch has written and that have references now, by slot.
std::vector<Object*> Store::changed_referrers(const Record& record) const {
  std::vector<Object*> result;
  for (const LeafBefore& leaf : record.leaves) {
    if (leaf.object == nullptr) continue;
    const Word word = leaf.object->load();
    if (word.present() && !word.version()->references().empty()) result.push_back(leaf.object);
  }
  std::sort(result.begin(), result.end(),
            [](const Object* a, const Object* b) { return a->slot < b->slot; });
  return result;
}

/// After the keyed ones, `fresh`.
void Store::place_births(const std::vector<Object*>& fresh, Record& record) {
  std::vector<Birth> births;
  for (const UndoLog::List& list : undo_.lists()) {
    births.insert(births.end(), list.births.begin(), list.births.end());
  }
  if (births.empty()) return;
  place_free_standing(*graph_, changed_referrers(record), fresh, std::move(births),
                      [&](Object* object) { place(object, record); });
}

/// Whether this seal looks at what the batch has changed for references.
bool Store::graph_at_work() const {
  if (graph_ == nullptr) return false;
  const auto& lists = undo_.lists();
  return std::any_of(lists.begin(), lists.end(),
                     [](const UndoLog::List& list) { return !list.births.empty(); }) ||
         Collector(*graph_, *collector_, slots_).runs();
}

/// One step of the collector (gc.h): what it writes belongs to the batch that is being sealed.
void Store::collect_garbage(Record& record) {
  if (graph_ == nullptr) return;
  Collector collector(*graph_, *collector_, slots_);
  if (!collector.runs()) return;
  uint64_t born = 0;
  for (const LeafBefore& leaf : record.leaves) {
    Object* object = leaf.object != nullptr ? leaf.object : slots_.at(leaf.slot);
    const Word now = object->load();
    born += leaf.object == nullptr && is_free_standing(*object) ? 1 : 0;
    // Overwriting with the same is no change: replicas may differ in whether it happened.
    const bool unchanged =
        leaf.version != nullptr && now.present() && same(*leaf.version, *now.version());
    if (now.present() && !unchanged) collector.changed(*object);
  }
  collector.step(born);
  for (const auto& [key, value] : collector.writes()) {
    const Written found = collector_->object(key);
    if (found.created) {
      undo_.count_memory(found.object->table, static_cast<int64_t>(found.object->footprint()));
    }
    if (value) {
      overwrite(*found.object, *value, record);
    } else if (found.before.present()) {
      erase(*found.object, record);
    }
  }
  for (Object* object : collector.severed()) overwrite(*object, {}, record);
  for (Object* object : collector.unreachable()) erase(*object, record);
}

/// What `object` held until now, at the end of the batch: gone if the batch itself had written it,
/// else the record's.
void Store::replace_in(Record& record, Object& object, Version* version) {
  contents_[object.table].remove(object, *version);
  if (undo_.is_of_batch(Word::of(version))) {
    free_version(object, version);
    return;
  }
  record.leaves.push_back(LeafBefore::of(object.slot, object, *version));
  record.version_bytes += version->footprint();
}

/// A write at the end of the batch, when no request can see it any more. An object that the batch
/// has written already is in the record.
void Store::overwrite(Object& object, ByteView value, Record& record) {
  const Word before = object.load();
  if (before.present()) {
    replace_in(record, object, before.version());
  } else {
    place(&object, record);
  }
  Table& table = table_of(object);
  Version* version = table.make_version(value);
  undo_.count_memory(object.table, static_cast<int64_t>(version->footprint()));
  contents_[object.table].add(object, *version);
  table.restore(object, Word::of(version));
}

/// The slot of `object` is free from the next batch on.
void Store::erase(Object& object, Record& record) {
  replace_in(record, object, object.load().version());
  table_of(object).restore(object, Word::absent(0));
  const uint64_t slot = object.slot;
  slots_.vacate(slot);
  object.slot = slot;  // slot_as_of() needs it while history has the object
}

}  // namespace eve::state
