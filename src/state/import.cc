#include "state/import.h"

#include <cstring>
#include <optional>
#include <string>

#include "base/check.h"
#include "state/chunk_format.h"
#include "state/engine_impl.h"

namespace eve::state {

using crypto::Digest;

struct Importer::Impl {
  Impl(Store& empty, const Digest& target, uint64_t most, const crypto::Digester& proofs)
      : store(empty), rules{proofs, target, most, [&empty](const Leaf& leaf) {
                              return empty.can_have(leaf);
                            }} {}

  void learn_size(uint64_t size);
  Status fill(const Chunk::LeafNode& node);
  void free_slots(SlotRange range);
  void keep(TreeNode id, const Digest& digest);
  Digest digest_of(TreeNode id) const;
  void set_digest(uint64_t slot, const Digest& digest);
  void forget();

  Store& store;
  ChunkRules rules;
  std::optional<uint64_t> slots;  ///< of the target, once known
  Bytes digests;                  ///< of the leaves in place, by slot
  SlotRanges held;                ///< slots that are as some target's chunk said
  SlotRanges covered;             ///< those of them that are as the present target says
  bool finished = false;
};

void Importer::Impl::learn_size(uint64_t size) {
  if (slots == size) return;
  slots = size;
  held.remove({size, kMaxSlots});
  digests.resize(size * rules.digester.size());
  store.import_resize(size);
}

Digest Importer::Impl::digest_of(TreeNode id) const {
  const size_t size = rules.digester.size();
  if (id.level == 0) return digest_from(ByteView(digests).substr(id.index * size, size));
  Bytes children;
  const auto below = static_cast<uint8_t>(id.level - 1);
  for (uint64_t i = 0; i < child_count(*slots, id); ++i) {
    children.append(digest_of({below, id.index * kFanout + i}).view().substr(0, size));
  }
  Bytes payload;
  encode_inner(children, payload);
  return rules.digester.digest(payload);
}

void Importer::Impl::set_digest(uint64_t slot, const Digest& digest) {
  const size_t size = rules.digester.size();
  std::memcpy(digests.data() + slot * size, digest.bytes.data(), size);
  held.add({slot, slot + 1});
  covered.add({slot, slot + 1});
}

Status Importer::Impl::fill(const Chunk::LeafNode& node) {
  if (covered.contains(node.slot)) return {};
  if (!held.contains(node.slot) || digest_of({0, node.slot}) != node.digest) {
    const auto leaf = decode_leaf(node.payload);
    const auto other = store.import_slot_of(*leaf);
    if (other && covered.contains(*other)) {
      return Error{"the chunk is refused: its key is in slot " + std::to_string(*other) +
                   " already; the root is of no state: import another version"};
    }
    if (other) {
      // Where an earlier version had it.
      store.import_clear(*other);
      held.remove({*other, *other + 1});
    }
    store.import_clear(node.slot);
    store.import_leaf(node.slot, *leaf);
  }
  set_digest(node.slot, node.digest);
  return {};
}

void Importer::Impl::free_slots(SlotRange range) {
  for (uint64_t slot = range.first; slot < range.end; ++slot) {
    if (covered.contains(slot)) continue;
    store.import_clear(slot);
    set_digest(slot, {});
  }
}

void Importer::Impl::keep(TreeNode id, const Digest& digest) {
  const SlotRange range = slots_below(*slots, id);
  if (covered.contains(range)) return;
  if (held.contains(range) && digest_of(id) == digest) covered.add(range);
}

void Importer::Impl::forget() {
  slots.reset();
  held.clear();
  covered.clear();
  digests.clear();
}

Importer::Importer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  EVE_CHECK(!impl_->store.is_open() && impl_->store.slots() == 0,
            "an import needs an empty engine, between batches");
}

Importer::Importer(Engine& engine, const Digest& root, uint64_t max_slots)
    : Importer(std::make_unique<Impl>(engine.impl_->store, root, max_slots,
                                      engine.impl_->store.digester())) {}

Importer::Importer(Engine& engine, const Digest& root, const crypto::Digester& proofs)
    : Importer(std::make_unique<Impl>(engine.impl_->store, root, kMaxSlots, proofs)) {}

Importer::~Importer() {
  if (!impl_->finished) impl_->store.import_abandon();
}

Status Importer::supply(ByteView chunk) {
  EVE_CHECK(!impl_->finished, "the import is over");
  const auto decoded = decode_chunk(chunk, impl_->rules);
  if (!decoded.ok()) return decoded.status();
  impl_->learn_size(decoded->slots);
  for (const Chunk::LeafNode& node : decoded->leaves) {
    const Status filled = impl_->fill(node);
    if (!filled.ok()) return filled;
  }
  for (const SlotRange& range : decoded->free.ranges()) impl_->free_slots(range);
  for (const auto& [id, digest] : decoded->kept) impl_->keep(id, digest);
  return {};
}

std::vector<SlotRange> Importer::missing(size_t limit) const {
  return impl_->covered.missing(impl_->slots.value_or(impl_->rules.max_slots), limit);
}

bool Importer::complete() const {
  return impl_->slots && impl_->covered.contains(SlotRange{0, *impl_->slots});
}

void Importer::retarget(const Digest& root) {
  if (root == impl_->rules.root) return;
  impl_->rules.root = root;
  impl_->slots.reset();
  impl_->covered.clear();
}

Status Importer::finish(BatchNumber n, Scheduler& scheduler) {
  EVE_CHECK(!impl_->finished, "the import is over");
  if (!complete()) return Error{"chunks are missing: ask for those that missing() names"};
  // The tree takes over from here.
  Bytes().swap(impl_->digests);
  const Status done = impl_->store.import_finish(n, impl_->rules.root, scheduler);
  impl_->finished = done.ok();
  if (!done.ok()) impl_->forget();
  return done;
}

Status Importer::finish_anew(BatchNumber n, const Stays& stays, Scheduler& scheduler) {
  EVE_CHECK(!impl_->finished, "the import is over");
  if (!complete()) return Error{"chunks are missing: ask for those that missing() names"};
  Bytes().swap(impl_->digests);
  impl_->store.import_leave_out(stays);
  impl_->finished = true;
  return impl_->store.import_finish(n, std::nullopt, scheduler);
}

}  // namespace eve::state
