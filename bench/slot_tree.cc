#include "bench/slot_tree.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "bench/state.h"

namespace eve::bench {
namespace {

constexpr size_t kAhead = 6;  // as src/state/tree.cc

}  // namespace

Payloads make_payloads(uint64_t count) {
  Payloads payloads(count);
  std::string value;
  for (uint64_t index = 0; index < count; ++index) {
    make_key(index, payloads[index]);
    make_value(index, value);
    payloads[index] += value;
  }
  return payloads;
}

SlotTree::SlotTree(const crypto::Digester& digester, size_t arity, const Payloads& payloads)
    : digester_(digester), arity_(arity), size_(digester.size()) {
  std::vector<uint64_t> all(payloads.size());
  std::iota(all.begin(), all.end(), 0);
  insert(payloads, all);
}

void SlotTree::resize(uint64_t slots) {
  for (size_t level = 0;; ++level) {
    if (levels_.size() <= level) levels_.emplace_back();
    Bytes& digests = levels_[level];
    // A little to spare, as pages have: growing must not copy a level at every batch.
    if (digests.capacity() < slots * size_) digests.reserve(slots * size_ * 17 / 16);
    digests.resize(slots * size_);
    if (slots <= 1) return;
    slots = (slots + arity_ - 1) / arity_;
  }
}

void SlotTree::update(const Payloads& payloads, const std::vector<uint64_t>& changed) {
  std::vector<uint64_t> dirty;
  dirty.reserve(changed.size());
  for (const uint64_t object : changed) dirty.push_back(slot_[object]);
  std::sort(dirty.begin(), dirty.end());
  update_slots(payloads, std::move(dirty));
}

void SlotTree::update_slots(const Payloads& payloads, std::vector<uint64_t> dirty) {
  for (size_t i = 0; i < dirty.size(); ++i) {
    if (i + kAhead < dirty.size()) {
      __builtin_prefetch(at(0, dirty[i + kAhead]));
      __builtin_prefetch(payloads[object_[dirty[i + kAhead]]].data());
    }
    const crypto::Digest digest = digester_.digest(payloads[object_[dirty[i]]]);
    std::memcpy(at(0, dirty[i]), digest.bytes.data(), size_);
  }
  update_above(std::move(dirty));
}

void SlotTree::update_above(std::vector<uint64_t> dirty) {
  for (size_t level = 1; level < levels_.size(); ++level) {
    for (uint64_t& index : dirty) index /= arity_;
    dirty.erase(std::unique(dirty.begin(), dirty.end()), dirty.end());
    update_inner(level, dirty);
  }
}

void SlotTree::update_inner(size_t level, const std::vector<uint64_t>& dirty) {
  const Bytes& below = levels_[level - 1];
  const size_t node_bytes = arity_ * size_;
  for (size_t i = 0; i < dirty.size(); ++i) {
    if (i + kAhead < dirty.size()) {
      const char* children = below.data() + dirty[i + kAhead] * node_bytes;
      for (size_t at = 0; at < node_bytes; at += 64) __builtin_prefetch(children + at);
      __builtin_prefetch(at(level, dirty[i + kAhead]));
    }
    const size_t first = dirty[i] * node_bytes;
    const ByteView children(below.data() + first, std::min(node_bytes, below.size() - first));
    const crypto::Digest digest = digester_.digest(children);
    std::memcpy(at(level, dirty[i]), digest.bytes.data(), size_);
  }
}

void SlotTree::insert(const Payloads& payloads, const std::vector<uint64_t>& fresh) {
  std::vector<uint64_t> order = fresh;
  std::sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) {
    return payloads[a].compare(0, kKeyBytes, payloads[b], 0, kKeyBytes) < 0;
  });
  const auto reused = std::min(free_.size(), order.size());
  std::vector<uint64_t> slots(order.size());
  std::copy_n(free_.rbegin(), reused, slots.begin());
  std::iota(slots.begin() + static_cast<ptrdiff_t>(reused), slots.end(), object_.size());
  free_.resize(free_.size() - reused);
  object_.resize(object_.size() + order.size() - reused);
  slot_.resize(payloads.size());
  resize(object_.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    object_[slots[i]] = order[i];
    slot_[order[i]] = slots[i];
  }
  update_slots(payloads, std::move(slots));
}

void SlotTree::erase(const std::vector<uint64_t>& objects) {
  std::vector<uint64_t> dirty;
  for (const uint64_t object : objects) dirty.push_back(slot_[object]);
  for (const uint64_t slot : dirty) std::memset(at(0, slot), 0, size_);
  free_.insert(free_.end(), dirty.begin(), dirty.end());
  std::sort(free_.rbegin(), free_.rend());
  std::sort(dirty.begin(), dirty.end());
  update_above(std::move(dirty));
}

crypto::Digest SlotTree::root() const {
  crypto::Digest digest;
  std::memcpy(digest.bytes.data(), levels_.back().data(), size_);
  return digest;
}

size_t SlotTree::bytes() const {
  size_t sum = 0;
  for (const Bytes& level : levels_) sum += level.size();
  return sum;
}

}  // namespace eve::bench
