// Objects and their versions: the unit of hashing, of copy-on-write and of transfer.
//
//   Object (table, key) --word--> Version (immutable bytes), or absent
//
// A version never changes once published; a write replaces the word. Whoever replaced it owns the
// old version and must keep it until the batch has ended, because readers hold plain pointers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "eve/bytes.h"
#include "eve/state.h"
#include "state/recycler.h"

namespace eve::state {

/// Limits of eve/state.h.
inline constexpr size_t kMaxKeyBytes = ByteMap::kMaxKeyBytes;
inline constexpr size_t kMaxValueBytes = ByteMap::kMaxValueBytes;
static_assert(kMaxKeyBytes + kMaxValueBytes + 1024 < limits::kMaxFrameBytes);

/// With EVE_VERIFY, what the memory of a version or an object is filled with when it goes.
inline constexpr unsigned char kPoison = 0xEB;

/// How a version's bytes lie in memory; it is neither hashed nor transferred.
enum class Layout : uint8_t {
  kPacked,   ///< right behind the header, at any address
  kAligned,  ///< at a multiple of 16, for formats that are read in place
};

/// One value of an object. The bytes follow the header in the same block.
class Version {
 public:
  /// From `magazine`, if the caller has one at hand. `references`: where references lie in `bytes`
  /// (references.h); they are kept behind them.
  static Version* make(uint64_t stamp, ByteView bytes, Layout layout = Layout::kPacked,
                       Magazine* magazine = nullptr, ByteView references = {});
  static void destroy(Version* version, Recycler* recycler = nullptr);
  /// The same without a look at it, which might be a cache miss: `block_size` is its own.
  static void destroy(Version* version, size_t block_size, Recycler& recycler);

  /// The write stamp (UndoLog::stamp) it was made under.
  uint64_t stamp() const { return stamp_; }
  ByteView bytes() const { return {data(), size_}; }
  ByteView references() const;
  size_t footprint() const { return allocated(block_size()); }
  size_t block_size() const { return block_bytes(size_ + trailer(references()), layout_); }

 private:
  Version(uint64_t stamp, uint32_t size, Layout layout, bool refers)
      : stamp_(stamp), size_(size), layout_(layout), refers_(refers) {}
  const char* data() const { return reinterpret_cast<const char*>(this) + header(layout_); }
  char* data() { return reinterpret_cast<char*>(this) + header(layout_); }
  /// At least sizeof(Version): the header's padding belongs to the type.
  static constexpr size_t block_bytes(size_t size, Layout layout) {
    return header(layout) + size < sizeof(Version) ? sizeof(Version) : header(layout) + size;
  }
  /// Packed bytes need no alignment: no padding before them.
  static constexpr size_t header(Layout layout) { return layout == Layout::kPacked ? 12 : 16; }

  /// Behind the bytes, if there are references: the size of the list, and the list.
  static size_t trailer(ByteView references) {
    return references.empty() ? 0 : sizeof(uint32_t) + references.size();
  }

  uint64_t stamp_;
  uint32_t size_ : 28;
  Layout layout_ : 3;
  bool refers_ : 1;
};
static_assert(sizeof(Version) == 16);
static_assert(kMaxValueBytes < size_t{1} << 28);

/// What an object holds: a version, or its absence with the stamp of the write that erased it (0:
/// never written in a batch that is still open). Either way it tells when it was written, so that
/// one exchange decides who made the first write of a batch.
class Word {
 public:
  Word() = default;
  static Word of(Version* version) { return Word(reinterpret_cast<uintptr_t>(version)); }
  static Word absent(uint64_t stamp) { return Word((stamp << 1) | 1); }

  bool present() const { return (raw_ & 1) == 0; }
  /// Precondition: present().
  Version* version() const {
    return reinterpret_cast<Version*>(raw_);  // NOLINT(performance-no-int-to-ptr): one was put in
  }
  uint64_t stamp() const { return present() ? version()->stamp() : raw_ >> 1; }

 private:
  explicit Word(uintptr_t raw) : raw_(raw) {}
  uintptr_t raw_ = 1;
};
static_assert(sizeof(uintptr_t) == 8, "a stamp shares a word with a pointer");

inline constexpr uint64_t kNoSlot = ~uint64_t{0};

/// The identity behind (table, key). Linked into its shard's chain; the key follows the header in
/// the same block. Workers use `hash`, `word`, `next` and the key; the rest is the owner's.
struct Object {
  static Object* make(uint64_t hash, uint16_t table, ByteView key, Magazine* magazine = nullptr);
  static void destroy(Object* object, Recycler* recycler = nullptr);

  ByteView key() const { return {reinterpret_cast<const char*>(this) + sizeof(Object), key_size}; }
  size_t footprint() const { return allocated(sizeof(Object) + key_size); }
  /// Asks for the memory of an object that is needed soon: it may lie across two lines.
  static void prefetch(const Object* object) {
    if (object == nullptr) return;
    __builtin_prefetch(object);
    __builtin_prefetch(reinterpret_cast<const char*>(object) + sizeof(Object) - 1);
  }
  Word load() const { return word.load(std::memory_order_acquire); }

  const uint64_t hash;
  std::atomic<Word> word{Word::absent(0)};
  std::atomic<Object*> next{nullptr};
  uint64_t slot = kNoSlot;  ///< its leaf, as of the last seal
  const uint32_t key_size;
  const uint16_t table;
  uint16_t references = 0;  ///< records (history.h) that made it absent; absent and 0: it may go

 private:
  Object(uint64_t object_hash, uint16_t object_table, uint32_t object_key_size)
      : hash(object_hash), key_size(object_key_size), table(object_table) {}
};
static_assert(sizeof(Object) == 40 && std::atomic<Word>::is_always_lock_free);

}  // namespace eve::state
