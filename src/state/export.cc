#include "state/export.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "eve/codec.h"
#include "state/chunk_format.h"
#include "state/store.h"

namespace eve::state {

namespace {

/// Cuts one chunk of a version.
class Cutter {
 public:
  /// What `sent` contains is left out; null: nothing.
  Cutter(const VersionView& view, size_t limit, const SlotSet* sent)
      : view_(view),
        slots_(*view.slots()),
        digest_size_(view.store().digester().size()),
        limit_(limit),
        sent_(sent) {}

  ExportedChunk cut(uint64_t slot);

 private:
  bool is_kept(TreeNode id) const;
  void put_digest(char tag, TreeNode id, Bytes& out);
  void put_node(TreeNode id, Bytes& out);
  void put_leaf(uint64_t slot, Bytes& out);
  Bytes put_largest(TreeNode& id);
  Bytes with_path(TreeNode id, const Bytes& node);
  const LeafAt& leaf(uint64_t slot);

  /// Leaves and digests are read in blocks: one look at each later batch for all of them. As large
  /// as the subtrees are that fit into the usual chunk.
  static constexpr uint64_t kBlock = 4096;
  static_assert(kBlock % kFanout == 0);

  const VersionView view_;
  const uint64_t slots_;
  const size_t digest_size_;
  const size_t limit_;
  const SlotSet* sent_;
  uint64_t block_first_ = 0;
  std::vector<LeafAt> block_;
  struct Digests {
    uint64_t first = 0;
    Bytes bytes;
  };
  std::vector<Digests> digests_;  ///< by level
};

const LeafAt& Cutter::leaf(uint64_t slot) {
  if (slot < block_first_ || slot - block_first_ >= block_.size()) {
    block_first_ = slot / kBlock * kBlock;
    const uint64_t count = std::min(kBlock, slots_ - block_first_);
    block_ = view_.store().leaves_at(view_.number(), block_first_, count);
  }
  return block_[slot - block_first_];
}

bool Cutter::is_kept(TreeNode id) const {
  return sent_ != nullptr && sent_->contains(slots_below(slots_, id));
}

void Cutter::put_digest(char tag, TreeNode id, Bytes& out) {
  if (digests_.size() <= id.level) digests_.resize(id.level + size_t{1});
  Digests& block = digests_[id.level];
  if (id.index < block.first || id.index - block.first >= block.bytes.size() / digest_size_) {
    block.first = id.index / kBlock * kBlock;
    const uint64_t count = std::min(kBlock, level_size(slots_, id.level) - block.first);
    block.bytes = view_.store().digests_at(view_.number(), id.level, block.first, count);
  }
  out.push_back(tag);
  out.append(block.bytes, (id.index - block.first) * digest_size_, digest_size_);
}

void Cutter::put_leaf(uint64_t slot, Bytes& out) {
  const LeafAt& found = leaf(slot);
  if (found.object == nullptr) {
    out.push_back(kFreeNode);
    return;
  }
  out.push_back(kLeafNode);
  const size_t size_at = out.size();
  out.append(sizeof(uint32_t), '\0');
  view_.store().encode_as_of(view_.number(), *found.object, *found.version, out);
  Bytes size;
  Codec<uint32_t>::encode(static_cast<uint32_t>(out.size() - size_at - sizeof(uint32_t)), size);
  out.replace(size_at, size.size(), size);
}

/// Stops where `out` has become larger than a chunk may be; it is then no whole node.
void Cutter::put_node(TreeNode id, Bytes& out) {
  if (out.size() > limit_) return;
  if (is_kept(id)) {
    put_digest(kKeptNode, id, out);
  } else if (id.level == 0) {
    put_leaf(id.index, out);
  } else {
    out.push_back(kInnerNode);
    const auto below = static_cast<uint8_t>(id.level - 1);
    for (uint64_t i = 0; i < child_count(slots_, id); ++i) {
      put_node({below, id.index * kFanout + i}, out);
    }
  }
}

/// The largest node that begins with the leaf `id` and is within the limit; at least that leaf.
/// Sets `id` to it.
Bytes Cutter::put_largest(TreeNode& id) {
  // A node that begins with the leaf is as many inner tags as it is high, the leaf, and what
  // follows: so a higher one is had by adding at the end.
  Bytes rest;
  size_t tags = 0;
  put_node(id, rest);
  while (id.level < top_level(slots_) && id.index % kFanout == 0) {
    const TreeNode parent{static_cast<uint8_t>(id.level + 1), id.index / kFanout};
    const size_t whole = rest.size();
    if (is_kept(parent)) {
      rest.clear();
      tags = 0;
      put_node(parent, rest);
    } else {
      for (uint64_t i = 1; i < child_count(slots_, parent); ++i) {
        put_node({id.level, id.index + i}, rest);
      }
      if (rest.size() > limit_) {
        rest.resize(whole);
        break;
      }
      ++tags;
    }
    id = parent;
  }
  return Bytes(tags, kInnerNode) + rest;
}

Bytes Cutter::with_path(TreeNode id, const Bytes& node) {
  Bytes before;
  Bytes after;
  for (; id.level < top_level(slots_);
       id = {static_cast<uint8_t>(id.level + 1), id.index / kFanout}) {
    const TreeNode parent{static_cast<uint8_t>(id.level + 1), id.index / kFanout};
    const uint64_t children = child_count(slots_, parent);
    Bytes above(1, kInnerNode);
    for (uint64_t i = 0; i < children; ++i) {
      if (i == id.index % kFanout) continue;
      put_digest(kElsewhereNode, {id.level, parent.index * kFanout + i},
                 i < id.index % kFanout ? above : after);
    }
    before.insert(0, above);
  }
  Bytes chunk(1, kChunkTag);
  Codec<uint64_t>::encode(slots_, chunk);
  chunk.reserve(chunk.size() + before.size() + node.size() + after.size());
  return chunk.append(before).append(node).append(after);
}

ExportedChunk Cutter::cut(uint64_t slot) {
  if (slots_ == 0) return {view_.number(), {0, 0}, with_path({0, 0}, {})};
  TreeNode id{0, slot};
  const Bytes node = put_largest(id);
  return {view_.number(), slots_below(slots_, id), with_path(id, node)};
}

}  // namespace

Exporter::Exporter(Engine& engine, BatchNumber n, size_t chunk_bytes)
    : engine_(engine), chunk_bytes_(chunk_bytes), pin_(engine.pin(n)), cut_from_(n) {}

std::optional<crypto::Digest> Exporter::root() const {
  return ended() ? std::nullopt : engine_.root_at(number());
}

void Exporter::catch_up() {
  if (pin_->number() == cut_from_) return;
  sent_.remove(pin_->take_changed());
  cut_from_ = pin_->number();
  next_slot_ = 0;
  done_ = false;
}

std::optional<ExportedChunk> Exporter::next() {
  if (ended()) return std::nullopt;
  catch_up();
  if (done_) return std::nullopt;
  const VersionView view = engine_.view(cut_from_);
  ExportedChunk chunk = Cutter(view, chunk_bytes_, &sent_).cut(next_slot_);
  sent_.add(chunk.slots);
  next_slot_ = chunk.slots.end;
  done_ = next_slot_ >= *view.slots();
  return chunk;
}

std::optional<ExportedChunk> Exporter::chunk(uint64_t slot) const {
  if (ended()) return std::nullopt;
  const VersionView view = engine_.view(number());
  const uint64_t slots = *view.slots();
  if (slot >= std::max<uint64_t>(slots, 1)) return std::nullopt;
  return Cutter(view, chunk_bytes_, nullptr).cut(slot);
}

}  // namespace eve::state
