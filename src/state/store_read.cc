// Reading a store: roots and nodes of any version it holds, checks and counts.
#include <algorithm>
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
  const uint64_t slots = slots_at(n);
  const size_t size = digester_.size();
  if (id.level == TreeNode::kRootLevel) {
    if (id.index != 0) return std::nullopt;
    RootRecord record{slots, {}};
    if (slots > 0) record.top = *digest_at(n, {top_level(slots), 0});
    return encode_root(record, size);
  }
  if (id.level > top_level(slots) || id.index >= level_size(slots, id.level)) return std::nullopt;
  Bytes payload;
  if (id.level > 0) {
    const auto below = static_cast<uint8_t>(id.level - 1);
    encode_inner(digests_at(n, below, id.index * kFanout, child_count(slots, id)), payload);
    return payload;
  }
  const LeafAt leaf = leaves_at(n, id.index, 1).front();
  if (leaf.object == nullptr) return std::nullopt;
  encode_as_of(n, *leaf.object, *leaf.version, payload);
  return payload;
}

uint64_t Store::slots_at(BatchNumber n) const {
  const Record* after = history_.after(n);
  return after == nullptr ? tree_.slots() : after->slots_before;
}

Bytes Store::digests_at(BatchNumber n, uint8_t level, uint64_t first, uint64_t count) const {
  Bytes result;
  result.reserve(count * digester_.size());
  for (uint64_t i = 0; i < count; i += kFanout) {
    result.append(tree_.digests(level, first + i, std::min<uint64_t>(kFanout, count - i)));
  }
  history_.overlay_digests(n, level, first, digester_.size(), result);
  return result;
}

std::optional<crypto::Digest> Store::digest_at(BatchNumber n, TreeNode id) const {
  if (id == TreeNode{TreeNode::kRootLevel, 0}) return root_at(n);
  const uint64_t slots = slots_at(n);
  if (id.level > top_level(slots) || id.index >= level_size(slots, id.level)) return std::nullopt;
  if (n == last_) return tree_.digest(id);
  return digest_from(digests_at(n, id.level, id.index, 1));
}

std::vector<LeafAt> Store::leaves_at(BatchNumber n, uint64_t first, uint64_t count) const {
  EVE_CHECK(!undo_.is_open(), "leaves are read between batches");
  std::vector<LeafAt> leaves(count);
  for (uint64_t i = 0; i < count; ++i) {
    const Object* object = slots_.at(first + i);
    if (object != nullptr) leaves[i] = {object, object->load().version()};
  }
  history_.overlay_leaves(n, first, leaves);
  return leaves;
}

std::optional<ByteView> Store::value_at(BatchNumber n, const Table& table, ByteView key) const {
  EVE_CHECK(!undo_.is_open(), "old values are read between batches");
  const Object* object = table.find(key);
  if (object == nullptr) return std::nullopt;
  const Version* version = history_.version(n, *object);
  return version == nullptr ? std::nullopt : std::optional(version->bytes());
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
      encode_now(object, *word.version(), payload);
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
  for (const Content& content : contents_) counts.objects += static_cast<uint64_t>(content.objects);
  counts.slots = slots_.size();
  counts.bytes = use().total();
  counts.history_batches = committed_.value() - oldest().value();
  return counts;
}

Engine::Use Store::use() const {
  Engine::Use use;
  for (size_t i = 0; i < tables_.size(); ++i) {
    use.tables.push_back({tables_[i]->name(), static_cast<uint64_t>(contents_[i].objects),
                          static_cast<uint64_t>(contents_[i].bytes),
                          tables_[i]->bytes() + static_cast<size_t>(undo_.memory(i))});
  }
  use.slots = slots_.bytes();
  use.tree = tree_.bytes();
  use.history = history_.other_bytes();
  for (const UndoLog::List& list : undo_.lists()) use.retired += list.retired_bytes;
  use.recycler = undo_.recycler().bytes();
  return use;
}

uint64_t Store::logical_bytes() const {
  int64_t sum = 0;
  for (const Content& content : contents_) sum += content.bytes;
  return static_cast<uint64_t>(sum);
}

}  // namespace eve::state
