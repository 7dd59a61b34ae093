// Reading a store: roots and nodes of any version it holds, checks and counts.
#include <utility>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

BatchNumber Store::oldest() const {
  return BatchNumber(last_.value() - history_.size());
}

std::optional<crypto::Digest> Store::root_at(BatchNumber n) const {
  if (n < oldest() || n > last_) return std::nullopt;
  const Record* after = history_.after(n);
  return after == nullptr ? root_ : after->root_before;
}

std::optional<Bytes> Store::node(BatchNumber n, TreeNode id) const {
  if (n < oldest() || n > last_) return std::nullopt;
  const Record* after = history_.after(n);
  const uint64_t slots = after == nullptr ? tree_.slots() : after->slots_before;
  const size_t size = digester_.size();
  const auto digests = [&](uint8_t level, uint64_t first, uint64_t count) {
    Bytes result(tree_.digests(level, first, count));
    history_.overlay_digests(n, level, first, size, result);
    return result;
  };
  if (id.level == TreeNode::kRootLevel) {
    if (id.index != 0) return std::nullopt;
    RootRecord record{slots, {}};
    if (slots > 0) record.top = digest_from(digests(top_level(slots), 0, 1));
    return encode_root(record, size);
  }
  if (id.level > top_level(slots) || id.index >= level_size(slots, id.level)) return std::nullopt;
  Bytes payload;
  if (id.level > 0) {
    const auto below = static_cast<uint8_t>(id.level - 1);
    encode_inner(digests(below, id.index * kFanout, child_count(slots, id)), payload);
    return payload;
  }
  const LeafBefore* before = history_.leaf(n, id.index);
  const Object* object = before == nullptr ? slots_.at(id.index) : before->object;
  if (object == nullptr) return std::nullopt;
  const Version* version = before == nullptr ? object->load().version() : before->version;
  encode_as_of(n, *object, *version, payload);
  return payload;
}

crypto::Digest Store::recompute_root() const {
  std::vector<crypto::Digest> leaves(slots_.size());
  size_t placed = 0;
  Bytes payload;
  for (const auto& table : tables_) {
    table->each([&](Object& object) {
      const Word word = object.load();
      if (!word.present()) return;
      EVE_CHECK(object.slot < slots_.size() && slots_.at(object.slot) == &object,
                "an object is not in its slot");
      payload.clear();
      encode_now(object, payload);
      leaves[object.slot] = digester_.digest(payload);
      ++placed;
    });
  }
  size_t taken = 0;
  for (uint64_t slot = 0; slot < slots_.size(); ++slot) taken += slots_.at(slot) != nullptr;
  EVE_CHECK(placed == taken, "a slot holds no present object");
  return root_of_leaves(digester_, std::move(leaves));
}

Engine::Counts Store::counts() const {
  Engine::Counts counts;
  size_t bytes = slots_.bytes() + tree_.bytes();
  for (const auto& table : tables_) {
    counts.objects += table->size();
    bytes += table->bytes();
  }
  for (const UndoLog::List& list : undo_.lists()) bytes += static_cast<size_t>(list.bytes);
  bytes -= static_cast<size_t>(freed_bytes_);
  counts.slots = slots_.size();
  counts.bytes = bytes + history_.other_bytes();
  counts.history_batches = committed_.value() - oldest().value();
  return counts;
}

}  // namespace eve::state
