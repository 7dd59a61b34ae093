#include "state/verify.h"

#include <unordered_map>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

namespace {

std::unordered_set<const Version*> retired_once(const UndoLog& undo) {
  std::unordered_set<const Version*> retired;
  for (const UndoLog::List& list : undo.lists()) {
    for (const Version* version : list.retired) {
      EVE_CHECK(retired.insert(version).second, "a version was retired twice");
    }
  }
  return retired;
}

}  // namespace

std::unordered_set<const Object*> verify_first_entries(const UndoLog& undo) {
  std::unordered_set<const Object*> objects;
  for (const UndoLog::List& list : undo.lists()) {
    for (const UndoLog::Entry& entry : list.entries) {
      if (!undo.is_first(entry)) continue;
      EVE_CHECK(objects.insert(entry.object).second, "two first entries of an object in a batch");
    }
  }
  return objects;
}

void verify_marked(const UndoLog& undo) {
  std::unordered_set<const Object*> objects;
  for (const UndoLog::List& list : undo.lists()) {
    for (size_t i = list.mark; i < list.entries.size(); ++i) {
      const UndoLog::Entry& entry = list.entries[i];
      EVE_CHECK(objects.insert(entry.object).second, "two entries of an object since the mark");
      EVE_CHECK(entry.before.stamp() < undo.stamp(), "an entry from after the mark leads nowhere");
    }
  }
}

std::unordered_set<const Version*> verify_retired(const UndoLog& undo) {
  const std::unordered_set<const Version*> retired = retired_once(undo);
  for (const UndoLog::List& list : undo.lists()) {
    for (const UndoLog::Entry& entry : list.entries) {
      EVE_CHECK(!entry.before.present() || retired.count(entry.before.version()) == 0,
                "a version that may be put back was retired");
    }
  }
  return retired;
}

#ifdef EVE_VERIFY
/// The undo lists say what the slots and the tree say of the state before the batch.
void Store::verify_undo() const {
  for (const Object* object : verify_first_entries(undo_)) {
    EVE_CHECK(object->slot == kNoSlot || slots_.at(object->slot) == object,
              "an object is not in its slot");
  }
  for (const UndoLog::List& list : undo_.lists()) {
    for (const auto& [object, before] : list.entries) {
      if (!undo_.is_first({object, before})) continue;
      EVE_CHECK(before.present() == (object->slot != kNoSlot),
                "an undo list and the slots differ in who was there");
      if (!before.present()) continue;
      crypto::Digest digest;
      hash_version(*object, *before.version(), digest);
      EVE_CHECK(digest == tree_.digest({0, object->slot}),
                "an undo list and the tree differ in what was there");
    }
  }
  verify_retired(undo_);
}

/// What is about to be freed can be reached from no object; called when the lists have been dealt
/// with. O(state).
void Store::verify_unreachable() const {
  const std::unordered_set<const Version*> retired = retired_once(undo_);
  if (retired.empty()) return;
  for (const auto& table : tables_) {
    table->each([&](const Object& object) {
      const Word word = object.load();
      EVE_CHECK(!word.present() || retired.count(word.version()) == 0,
                "a retired version can still be reached");
    });
  }
}

/// Objects count the records that say that they were gone, and of an absent one that a record names
/// at least one says so (store.h). O(state and history).
void Store::verify_references() const {
  std::unordered_map<const Object*, uint64_t> said;
  for (const Record& record : history_.records()) {
    for (const LeafBefore& leaf : record.leaves) {
      if (leaf.gone) ++said[leaf.object];
    }
  }
  for (const auto& table : tables_) {
    table->each([&](const Object& object) {
      const auto found = said.find(&object);
      const uint64_t count = found == said.end() ? 0 : found->second;
      EVE_CHECK(object.references == count, "an object miscounts the records that say it was gone");
      EVE_CHECK(count > 0 || object.load().present(), "an absent object that no record names");
      if (count > 0) said.erase(found);
    });
  }
  EVE_CHECK(said.empty(), "a record names an object that does not exist");
}
#endif

}  // namespace eve::state
