#include "state/tree.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace eve::state {

namespace {

/// Hashing a full inner node, measured; only the split into tasks depends on it.
uint64_t inner_ns(const crypto::Digester& digester) {
  return digester.algorithm() == crypto::DigestAlgorithm::kSha256 ? 400 : 50;
}

/// How many nodes before its turn a node is fetched from memory. Dirty nodes are scattered over the
/// state: waiting for memory costs more than hashing with XXH3.
constexpr size_t kAhead = 6;
/// The same where nothing is hashed in between.
constexpr size_t kFarAhead = 16;

/// Work for one task: well above what handing it over costs.
constexpr uint64_t kTaskNs = 10'000;
/// Parts for each worker, so that a late one holds nobody up.
constexpr uint64_t kPartsPerWorker = 8;
/// Leaves in a part at most, or so: what hashing them has brought into the cache should still be
/// there when the nodes above them are hashed.
constexpr uint64_t kPartLeaves = 2048;

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
  size_t count = 0;
  uint64_t last = ~uint64_t{0};
  for (const uint64_t index : indexes) {
    count += index / kFanout != last ? 1 : 0;
    last = index / kFanout;
  }
  std::vector<uint64_t> result;
  result.reserve(count);
  for (const uint64_t index : indexes) {
    const uint64_t parent = index / kFanout;
    if (result.empty() || result.back() != parent) result.push_back(parent);
  }
  return result;
}

/// The first of each of `parts` equal shares of `sample`, rounded down to multiples of `span`.
std::vector<uint64_t> boundaries(const std::vector<uint64_t>& sample, size_t parts, uint64_t span) {
  std::vector<uint64_t> first{0};
  for (size_t i = 1; i < parts; ++i) {
    const uint64_t slot = sample[i * sample.size() / parts] / span * span;
    if (slot > first.back()) first.push_back(slot);
  }
  return first;
}

/// The samples in the fullest part.
size_t fullest(const Cuts& cuts, const std::vector<uint64_t>& sample) {
  size_t most = 0;
  auto begin = sample.begin();
  for (size_t i = 0; i < cuts.parts(); ++i) {
    const auto end = std::lower_bound(begin, sample.end(), cuts.end(i));
    most = std::max(most, static_cast<size_t>(end - begin));
    begin = end;
  }
  return most;
}

/// The levels up to `height` of all parts, one after the other.
Replaced join(std::vector<Replaced> parts, uint8_t height, Scheduler& scheduler) {
  if (parts.size() == 1) return std::move(parts[0]);
  Replaced joined(size_t{height} + 1);
  const auto join_level = [&](size_t level) {
    size_t indexes = 0;
    size_t bytes = 0;
    for (const Replaced& part : parts) {
      indexes += part[level].indexes.size();
      bytes += part[level].digests.size();
    }
    ReplacedLevel& whole = joined[level];
    whole.indexes.reserve(indexes);
    whole.digests.reserve(bytes);
    for (const Replaced& part : parts) {
      whole.indexes.insert(whole.indexes.end(), part[level].indexes.begin(),
                           part[level].indexes.end());
      whole.digests += part[level].digests;
    }
  };
  constexpr size_t kManyParts = 16;  // of kPartLeaves: copying them takes longer than handing over
  if (parts.size() < kManyParts) {
    for (size_t level = 0; level <= height; ++level) join_level(level);
  } else {
    scheduler.run(size_t{height} + 1, kTaskNs, [&](size_t, size_t level) { join_level(level); });
  }
  return joined;
}

}  // namespace

Tree::Tree(const crypto::Digester& digester) : digester_(digester) {}

char* Tree::family(uint8_t level, uint64_t parent) const {
  return levels_[level].pages[parent / kFamilies].get() + (parent % kFamilies) * family_bytes();
}

char* Tree::at(uint8_t level, uint64_t index) const {
  return family(level, index / kFanout) + 1 + (index % kFanout) * digester_.size();
}

void Tree::resize(uint64_t slots) {
  slots_ = slots;
  for (uint8_t level = 0; slots != 0 && level <= top_level(slots); ++level) {
    if (levels_.size() <= level) levels_.emplace_back();
    auto& pages = levels_[level].pages;
    const uint64_t needed = (level_size(slots, level) + kPage - 1) / kPage;
    while (pages.size() < needed) {
      pages.emplace_back(new char[kFamilies * family_bytes()]());
      for (uint64_t i = 0; i < kFamilies; ++i) pages.back()[i * family_bytes()] = kInnerTag;
    }
  }
}

ByteView Tree::digests(uint8_t level, uint64_t first, uint64_t count) const {
  return {at(level, first), count * digester_.size()};
}

/// Of an inner node, as encode_inner() makes it.
ByteView Tree::payload(TreeNode id) const {
  const auto below = static_cast<uint8_t>(id.level - 1);
  return {family(below, id.index), 1 + child_count(slots_, id) * digester_.size()};
}

void Tree::prefetch_payload(TreeNode id) const {
  const char* first = family(static_cast<uint8_t>(id.level - 1), id.index);
  for (size_t i = 0; i < family_bytes(); i += 64) __builtin_prefetch(first + i);
}

void Tree::update_node(TreeNode id, char* replaced) {
  const size_t size = digester_.size();
  char* digest = at(id.level, id.index);
  std::memcpy(replaced, digest, size);
  std::memcpy(digest, digester_.digest(payload(id)).bytes.data(), size);
}

/// Calls visit(i, digest) for i in [0, count) with what the leaf number(i) of `leaves` hashes to
/// now; coming(i) some time before.
template <typename Number, typename Coming, typename Visit>
void Tree::hash_leaves(size_t count, const LeafSource& leaves, const Number& number,
                       const Coming& coming, const Visit& visit) {
  constexpr size_t kLead = LeafSource::kHops * kAhead;
  for (size_t step = 0; step < count + kLead; ++step) {
    // Each hop a few leaves after the one before it, when that should have arrived.
    for (unsigned hops = 0; hops < LeafSource::kHops; ++hops) {
      const size_t behind = hops * kAhead;
      if (step >= behind && step - behind < count) leaves.prefetch(number(step - behind), hops);
    }
    if (step < count) coming(step);
    if (step < kLead) continue;
    crypto::Digest digest;
    leaves.digest(number(step - kLead), digest);
    visit(step - kLead, digest);
  }
}

ReplacedLevel Tree::update_leaves(std::vector<uint64_t> dirty, const LeafSource& leaves) {
  const size_t size = digester_.size();
  ReplacedLevel replaced{std::move(dirty), {}};
  const std::vector<uint64_t>& slots = replaced.indexes;
  replaced.digests.resize(slots.size() * size);
  const auto visit = [&](size_t i, const crypto::Digest& fresh) {
    char* digest = at(0, slots[i]);
    std::memcpy(replaced.digests.data() + i * size, digest, size);
    std::memcpy(digest, fresh.bytes.data(), size);
  };
  const bool whole = top_level(slots_) > 0;
  const auto coming = [&](size_t i) {  // its parent is to be hashed as well
    if (whole) prefetch_payload({1, slots[i] / kFanout});
  };
  hash_leaves(
      slots.size(), leaves, [&](size_t i) { return slots[i]; }, coming, visit);
  return replaced;
}

void Tree::restore(const Replaced& replaced, uint64_t slots) {
  const size_t size = digester_.size();
  slots_ = slots;
  for (uint8_t level = 0; slots > 0 && level <= top_level(slots); ++level) {
    if (level >= replaced.size()) break;
    const auto& [indexes, digests] = replaced[level];
    const uint64_t end = level_size(slots, level);
    for (size_t i = 0; i < indexes.size() && indexes[i] < end; ++i) {
      const size_t ahead = i + kFarAhead;
      if (ahead < indexes.size()) __builtin_prefetch(at(level, indexes[ahead]));
      std::memcpy(at(level, indexes[i]), digests.data() + i * size, size);
    }
  }
}

bool Tree::check_leaves(const std::vector<uint64_t>& slots, const LeafSource& leaves,
                        uint64_t leaf_ns, Scheduler& scheduler) const {
  constexpr size_t kChunk = 64;
  std::atomic<bool> right{true};
  const size_t chunks = (slots.size() + kChunk - 1) / kChunk;
  in_chunks(chunks, kChunk * leaf_ns, scheduler, [&](size_t chunk) {
    const size_t first = chunk * kChunk;
    const size_t count = std::min(kChunk, slots.size() - first);
    const auto visit = [&](size_t i, const crypto::Digest& fresh) {
      if (digest({0, slots[first + i]}) != fresh) right.store(false, std::memory_order_relaxed);
    };
    const auto coming = [&](size_t i) { __builtin_prefetch(at(0, slots[first + i])); };
    hash_leaves(
        count, leaves, [&](size_t i) { return first + i; }, coming, visit);
  });
  return right;
}

Replaced Tree::update_part(std::vector<uint64_t> dirty, uint8_t height, const LeafSource& leaves) {
  Replaced replaced;
  replaced.push_back(update_leaves(std::move(dirty), leaves));
  for (uint8_t level = 1; level <= height; ++level) {
    ReplacedLevel next{parents(replaced.back().indexes), {}};
    next.digests.resize(next.indexes.size() * digester_.size());
    for (size_t i = 0; i < next.indexes.size(); ++i) {
      const size_t ahead = i + kAhead;
      if (ahead < next.indexes.size()) prefetch_payload({level, next.indexes[ahead]});
      update_node({level, next.indexes[i]}, next.digests.data() + i * digester_.size());
    }
    replaced.push_back(std::move(next));
  }
  return replaced;
}

Replaced Tree::update_top(std::vector<Replaced> parts, uint8_t height, Scheduler& scheduler) {
  Replaced replaced = join(std::move(parts), height, scheduler);
  // No more than a few nodes for each part: cut() takes the greatest height that will do.
  for (uint8_t level = static_cast<uint8_t>(height + 1); level <= top_level(slots_); ++level) {
    ReplacedLevel next{parents(replaced.back().indexes), {}};
    next.digests.resize(next.indexes.size() * digester_.size());
    char* digests = next.digests.data();
    in_chunks(next.indexes.size(), inner_ns(digester_), scheduler, [&](size_t i) {
      update_node({level, next.indexes[i]}, digests + i * digester_.size());
    });
    replaced.push_back(std::move(next));
  }
  return replaced;
}

uint64_t Tree::part_ns(uint64_t dirty, uint64_t leaf_ns) const {
  return dirty * (leaf_ns + 2 * inner_ns(digester_));
}

Cuts Tree::cut(uint64_t dirty, const std::vector<uint64_t>& sample, uint64_t leaf_ns,
               const Scheduler& scheduler) const {
  const uint64_t worthwhile = part_ns(dirty, leaf_ns) / kTaskNs;
  const uint64_t wanted = scheduler.workers() == 1 ? 1 : kPartsPerWorker * scheduler.workers();
  const size_t parts = std::min(
      {std::max(wanted, dirty / kPartLeaves), worthwhile, static_cast<uint64_t>(sample.size())});
  Cuts cuts;
  cuts.height = top_level(slots_);
  if (parts <= 1) return cuts;
  // The higher the nodes that a part has to itself, the less is left to do after the parts; but
  // dirty leaves may lie close together.
  uint64_t span = 1;
  for (uint8_t i = 0; i < cuts.height; ++i) span *= kFanout;
  do {
    --cuts.height;
    span /= kFanout;
    cuts.first = boundaries(sample, parts, span);
  } while (cuts.height > 0 && fullest(cuts, sample) * parts > 2 * sample.size());
  return cuts;
}

Replaced Tree::update(std::vector<uint64_t> dirty, const LeafSource& leaves, uint64_t leaf_ns,
                      Scheduler& scheduler) {
  const Cuts cuts = cut(dirty.size(), dirty, leaf_ns, scheduler);
  std::vector<Replaced> parts(cuts.parts());
  in_chunks(cuts.parts(), part_ns(dirty.size() / cuts.parts(), leaf_ns), scheduler, [&](size_t i) {
    const auto begin = std::lower_bound(dirty.begin(), dirty.end(), cuts.first[i]);
    const auto end = std::lower_bound(begin, dirty.end(), cuts.end(i));
    parts[i] = update_part({begin, end}, cuts.height, leaves);
  });
  return update_top(std::move(parts), cuts.height, scheduler);
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
  return pages * kFamilies * family_bytes();
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
