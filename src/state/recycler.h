// Memory of versions and objects, used again without going through the allocator: freed in storms
// when a record is dropped, and wanted again by the next batch.
//
//   owner: give() --> stock --begin_batch()--> magazine of each worker --take()--> worker
//
// A worker touches only its own magazine, and only while a batch runs; the owner fills magazines
// between batches, with as much of each size as that worker took in the last one. So there is no
// lock and no atomic. Every block comes from malloc, may go to free, and back: who has no magazine
// at hand calls these. Under ASan and TSan nothing is kept, so that they see every use after free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace eve::state {

/// What a block of `size` bytes costs: the allocator's header and its rounding included.
constexpr size_t allocated(size_t size) {
  return (size + 8 + 15) & ~size_t{15};
}

/// A block of at least `size` bytes from malloc, aligned to 16. Throws std::bad_alloc.
void* allocate(size_t size);

/// Blocks of equal cost are one class. Larger ones, beyond a page's version, are not kept.
inline constexpr size_t kRecycledBytes = (size_t{4} << 10) + 32;
inline constexpr size_t kSizeClasses = allocated(kRecycledBytes) / 16 + 1;

/// The blocks that one worker may take. Not thread-safe: the worker's own.
class alignas(64) Magazine {
 public:
  /// A block of at least `size` bytes: free it, or give it to the recycler with the same size.
  void* take(size_t size) {
    const size_t size_class = allocated(size) / 16;
    if (size_class >= kSizeClasses) return allocate(size);
    if (taken_[size_class]++ == 0) touched_.push_back(static_cast<uint16_t>(size_class));
    std::vector<void*>& blocks = blocks_[size_class];
    if (blocks.empty()) return allocate(size);
    void* block = blocks.back();
    blocks.pop_back();
    kept_bytes_ -= static_cast<int64_t>(size_class * 16);
    return block;
  }

 private:
  friend class Recycler;

  std::array<std::vector<void*>, kSizeClasses> blocks_;
  std::array<uint32_t, kSizeClasses> taken_{};  ///< in this batch
  std::vector<uint16_t> touched_;               ///< classes of which some were
  int64_t kept_bytes_ = 0;                      ///< with what the owner has put in
};

/// Thread safety: the owner's, while no worker is inside; magazines are the workers'.
class Recycler {
 public:
  enum class Mode : uint8_t { kKeep, kPassThrough };
  /// What is kept for use again, at most: this, or an eighth of what is live if that is more.
  static constexpr size_t kLeastLimit = size_t{8} << 20;
  static constexpr size_t kLimitShare = 8;
  /// So many blocks are freed between two batches at most, however far the limit has come down: the
  /// rest waits for the next ones.
  static constexpr size_t kFreedAtOnce = 4096;

  explicit Recycler(size_t workers, Mode mode = default_mode());
  ~Recycler();
  Recycler(const Recycler&) = delete;
  Recycler& operator=(const Recycler&) = delete;

  Magazine& of(size_t worker) { return magazines_[worker]; }
  /// Takes back a block that was taken or allocated with this `size`.
  void give(void* block, size_t size);
  /// Before workers come in: fills their magazines. `live_bytes` is the memory in use.
  void begin_batch(size_t live_bytes);
  /// Memory kept for use again.
  size_t bytes() const;

 private:
  static Mode default_mode();
  void fill(Magazine& magazine, size_t size_class);
  void release_idle(size_t& budget);
  void shrink_to_limit(size_t& budget);
  void free_of_stock(size_t size_class, size_t& budget);
  static void free_of(Magazine& magazine, size_t size_class, size_t& budget);

  const Mode mode_;
  std::vector<Magazine> magazines_;
  std::array<std::vector<void*>, kSizeClasses> stock_;
  size_t stock_bytes_ = 0;
  size_t magazine_bytes_ = 0;  ///< as of begin_batch()
  size_t limit_ = kLeastLimit;
  bool full_ = false;  ///< what is wanted may lack room that what is idle takes
};

}  // namespace eve::state
