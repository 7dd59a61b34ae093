// What each batch replaced: how the newest versions are undone and older ones are still read.
//
// The state as of batch n is the current one, overlaid with what batch n+1 replaced, else with what
// n+2 replaced, and so on. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "state/history_limits.h"
#include "state/object.h"
#include "state/tree.h"

namespace eve::state {

/// One changed leaf and what it was before; both null for a slot that was free, or not there.
/// Says all that forgetting it takes, so that a commit need not wait for the memory of objects and
/// versions, which lie scattered over the state.
struct LeafBefore {
  static LeafBefore of(uint64_t slot, Object& object, Version& version) {
    return {slot, &object, &version, static_cast<uint32_t>(version.block_size()), object.table};
  }

  /// Asks for the version's memory, or as much of it as pays.
  void prefetch_version() const {
    constexpr uint32_t kMost = 256;
    const auto* first = reinterpret_cast<const char*>(version);
    for (uint32_t i = 0; i < version_size && i < kMost; i += 64) __builtin_prefetch(first + i);
  }

  uint64_t slot;
  Object* object = nullptr;
  Version* version = nullptr;
  uint32_t version_size = 0;  ///< of the version's block
  uint16_t table = 0;
  bool gone = false;  ///< the object was absent after the batch: counted in Object::references
};
static_assert(sizeof(LeafBefore) == 32);
static_assert(2 * kMaxValueBytes + 1024 < UINT32_MAX);

/// One batch: enough to go back to the batch before. Owns the versions.
struct Record {
  BatchNumber number;
  crypto::Digest root_before;
  uint64_t slots_before = 0;
  std::vector<LeafBefore> leaves;  ///< by ascending slot
  Replaced replaced;               ///< digests, level by level; level 0 belongs to `leaves`
  size_t version_bytes = 0;        ///< memory of the versions,
  size_t other_bytes = 0;          ///< and of the rest
};

/// A leaf as of some version; both null for a free slot.
struct LeafAt {
  const Object* object = nullptr;
  const Version* version = nullptr;
};

/// The records of consecutive batches, oldest first.
class History {
 public:
  bool empty() const { return records_.empty(); }
  size_t size() const { return records_.size(); }
  size_t bytes() const { return version_bytes_ + other_bytes_; }
  size_t other_bytes() const { return other_bytes_; }
  Record& oldest() { return records_.front(); }
  Record& newest() { return records_.back(); }
  /// The record of batch `n + 1`, which says what `n` was where they differ; null if `n` is the
  /// newest version.
  const Record* after(BatchNumber n) const;

  void push(Record record);
  void pop_newest();
  void pop_oldest();

  /// Lays over `digests` (current ones of `level`, from index `first` on) what they were as of `n`.
  void overlay_digests(BatchNumber n, uint8_t level, uint64_t first, size_t digest_size,
                       Bytes& digests) const;
  /// Lays over `leaves` (current ones, from slot `first` on) what they were as of `n`.
  void overlay_leaves(BatchNumber n, uint64_t first, std::vector<LeafAt>& leaves) const;
  const std::deque<Record>& records() const { return records_; }
  /// What `object` held as of `n`; null if it was absent.
  const Version* version(BatchNumber n, const Object& object) const;

 private:
  size_t position_after(BatchNumber n) const;
  void uncount(const Record& record);

  std::deque<Record> records_;
  size_t version_bytes_ = 0;
  size_t other_bytes_ = 0;
};

}  // namespace eve::state
