#include "state/history.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace eve::state {

namespace {

auto from_slot(const std::vector<LeafBefore>& leaves, uint64_t slot) {
  return std::lower_bound(leaves.begin(), leaves.end(), slot,
                          [](const LeafBefore& leaf, uint64_t s) { return leaf.slot < s; });
}

const LeafBefore* find(const std::vector<LeafBefore>& leaves, uint64_t slot) {
  const auto it = from_slot(leaves, slot);
  return it != leaves.end() && it->slot == slot ? &*it : nullptr;
}

}  // namespace

size_t History::position_after(BatchNumber n) const {
  if (records_.empty()) return 0;
  return static_cast<size_t>(n.value() + 1 - records_.front().number.value());
}

const Record* History::after(BatchNumber n) const {
  if (records_.empty() || n.next() < records_.front().number) return nullptr;
  const size_t position = position_after(n);
  return position < records_.size() ? &records_[position] : nullptr;
}

void History::push(Record record) {
  EVE_CHECK(records_.empty() || records_.back().number.next() == record.number,
            "records follow one another");
  version_bytes_ += record.version_bytes;
  other_bytes_ += record.other_bytes;
  records_.push_back(std::move(record));
}

void History::uncount(const Record& record) {
  version_bytes_ -= record.version_bytes;
  other_bytes_ -= record.other_bytes;
}

void History::pop_newest() {
  uncount(records_.back());
  records_.pop_back();
}

void History::pop_oldest() {
  uncount(records_.front());
  records_.pop_front();
}

void History::overlay_digests(BatchNumber n, uint8_t level, uint64_t first, size_t digest_size,
                              Bytes& digests) const {
  const uint64_t end = first + digests.size() / digest_size;
  // From the newest down: what an older record says holds.
  for (size_t i = records_.size(); i-- > position_after(n);) {
    const Replaced& replaced = records_[i].replaced;
    if (replaced.size() <= level) continue;
    const auto& indexes = replaced[level].indexes;
    for (auto it = std::lower_bound(indexes.begin(), indexes.end(), first);
         it != indexes.end() && *it < end; ++it) {
      const auto position = static_cast<size_t>(it - indexes.begin());
      std::memcpy(digests.data() + (*it - first) * digest_size,
                  replaced[level].digests.data() + position * digest_size, digest_size);
    }
  }
}

void History::overlay_leaves(BatchNumber n, uint64_t first, std::vector<LeafAt>& leaves) const {
  const uint64_t end = first + leaves.size();
  // From the newest down: what an older record says holds.
  for (size_t i = records_.size(); i-- > position_after(n);) {
    const auto& before = records_[i].leaves;
    for (auto it = from_slot(before, first); it != before.end() && it->slot < end; ++it) {
      leaves[it->slot - first] = {it->object, it->version};
    }
  }
}

/// Back in time: an object that is present is known by its slot; an absent one is looked for in
/// the records, until as many have been found as ever made it absent: before these it was not.
const Version* History::version(BatchNumber n, const Object& object) const {
  const Word word = object.load();
  const Version* version = word.present() ? word.version() : nullptr;
  uint64_t slot = object.slot;
  size_t unseen = object.references;
  for (size_t i = records_.size(); i-- > position_after(n);) {
    const auto& leaves = records_[i].leaves;
    const LeafBefore* before = nullptr;
    if (version != nullptr) {
      before = find(leaves, slot);
      if (before == nullptr) continue;
    } else if (unseen > 0) {
      const auto it = std::find_if(leaves.begin(), leaves.end(),
                                   [&](const LeafBefore& leaf) { return leaf.object == &object; });
      if (it != leaves.end()) before = &*it;
    }
    // A leaf that was someone else's, or free: this batch is the one that brought the object.
    const bool present = before != nullptr && before->object == &object;
    version = present ? before->version : nullptr;
    if (!present) continue;
    slot = before->slot;
    unseen -= before->gone ? 1 : 0;
  }
  return version;
}

}  // namespace eve::state
