#include "state/tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace eve::state {

namespace {

/// Hashing a full inner node, measured; only the split into tasks depends on it.
uint64_t inner_ns(const crypto::Digester& digester) {
  return digester.algorithm() == crypto::DigestAlgorithm::kSha256 ? 500 : 50;
}

/// How many nodes before its turn a node is fetched from memory.
constexpr size_t kAhead = 6;

/// Work for one task: well above what handing it over costs.
constexpr uint64_t kTaskNs = 10'000;

/// Runs item(i) for i in [0, count) in chunks; directly when there is one chunk's worth.
template <typename Item>
void in_chunks(size_t count, uint64_t item_ns, Scheduler& scheduler, const Item& item) {
  const uint64_t least = std::max<uint64_t>(1, kTaskNs / std::max<uint64_t>(1, item_ns));
  const uint64_t chunk = std::max<uint64_t>(least, count / (8 * scheduler.workers()));
  const auto run = [&](size_t first) {
    const size_t end = std::min<size_t>(count, first + chunk);
    for (size_t i = first; i < end; ++i) item(i);
  };
  const size_t chunks = (count + chunk - 1) / chunk;
  if (chunks <= 1) {
    run(0);
  } else {
    scheduler.run(chunks, chunk * item_ns, [&](size_t, size_t index) { run(index * chunk); });
  }
}

std::vector<uint64_t> parents(const std::vector<uint64_t>& indexes) {
  std::vector<uint64_t> result;
  for (const uint64_t index : indexes) {
    const uint64_t parent = index / kFanout;
    if (result.empty() || result.back() != parent) result.push_back(parent);
  }
  return result;
}

}  // namespace

Tree::Tree(const crypto::Digester& digester) : digester_(digester) {}

char* Tree::at(uint8_t level, uint64_t index) const {
  return levels_[level].pages[index / kPage].get() + (index % kPage) * digester_.size();
}

void Tree::resize(uint64_t slots) {
  slots_ = slots;
  for (uint8_t level = 0; slots != 0 && level <= top_level(slots); ++level) {
    if (levels_.size() <= level) levels_.emplace_back();
    auto& pages = levels_[level].pages;
    const uint64_t needed = (level_size(slots, level) + kPage - 1) / kPage;
    while (pages.size() < needed) pages.emplace_back(new char[kPage * digester_.size()]());
  }
}

ByteView Tree::digests(uint8_t level, uint64_t first, uint64_t count) const {
  return {at(level, first), count * digester_.size()};
}

crypto::Digest Tree::hash_inner(TreeNode id) const {
  thread_local Bytes payload;
  payload.clear();
  const auto below = static_cast<uint8_t>(id.level - 1);
  encode_inner(digests(below, id.index * kFanout, child_count(slots_, id)), payload);
  return digester_.digest(payload);
}

/// Dirty nodes are scattered over the state: waiting for memory costs more than hashing with XXH3.
void Tree::prefetch(TreeNode id) const {
  __builtin_prefetch(at(id.level, id.index));
  if (id.level == 0) return;
  const ByteView children =
      digests(static_cast<uint8_t>(id.level - 1), id.index * kFanout, child_count(slots_, id));
  for (size_t i = 0; i < children.size(); i += 64) __builtin_prefetch(children.data() + i);
}

void Tree::update_level(uint8_t level, const std::vector<uint64_t>& dirty, const LeafDigest& leaf,
                        uint64_t leaf_ns, Scheduler& scheduler, ReplacedLevel* replaced) {
  const size_t size = digester_.size();
  if (replaced != nullptr) {
    replaced->indexes = dirty;
    replaced->digests.resize(dirty.size() * size);
  }
  const uint64_t item_ns = level == 0 ? leaf_ns : inner_ns(digester_);
  in_chunks(dirty.size(), item_ns, scheduler, [&](size_t i) {
    if (i + kAhead < dirty.size()) prefetch({level, dirty[i + kAhead]});
    char* digest = at(level, dirty[i]);
    if (replaced != nullptr) std::memcpy(replaced->digests.data() + i * size, digest, size);
    crypto::Digest fresh;
    if (level == 0) {
      leaf(dirty[i], fresh);
    } else {
      fresh = hash_inner({level, dirty[i]});
    }
    std::memcpy(digest, fresh.bytes.data(), size);
  });
}

void Tree::update(const std::vector<uint64_t>& dirty, const LeafDigest& leaf, uint64_t leaf_ns,
                  Scheduler& scheduler, Replaced* replaced) {
  const uint8_t top = top_level(slots_);
  if (replaced != nullptr) replaced->resize(size_t{top} + 1);
  std::vector<uint64_t> indexes = dirty;
  for (uint8_t level = 0; level <= top; ++level) {
    if (level > 0) indexes = parents(indexes);
    update_level(level, indexes, leaf, leaf_ns, scheduler,
                 replaced == nullptr ? nullptr : &(*replaced)[level]);
  }
}

RootRecord Tree::record() const {
  if (slots_ == 0) return {};
  return {slots_, digest({top_level(slots_), 0})};
}

crypto::Digest Tree::root() const {
  return digester_.digest(encode_root(record(), digester_.size()));
}

size_t Tree::bytes() const {
  size_t pages = 0;
  for (const Level& level : levels_) pages += level.pages.size();
  return pages * kPage * digester_.size();
}

crypto::Digest root_of_leaves(const crypto::Digester& digester,
                              std::vector<crypto::Digest> digests) {
  const uint64_t slots = digests.size();
  while (digests.size() > 1) {
    std::vector<crypto::Digest> above;
    for (size_t first = 0; first < digests.size(); first += kFanout) {
      Bytes children;
      for (size_t i = first; i < std::min(digests.size(), first + kFanout); ++i) {
        children.append(digests[i].view().substr(0, digester.size()));
      }
      Bytes payload;
      encode_inner(children, payload);
      above.push_back(digester.digest(payload));
    }
    digests = std::move(above);
  }
  const RootRecord record{slots, slots == 0 ? crypto::Digest() : digests[0]};
  return digester.digest(encode_root(record, digester.size()));
}

}  // namespace eve::state
