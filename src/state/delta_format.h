// What one batch has changed, as bytes: what a log keeps, because requests alone cannot restore a
// state that threads raced to (DESIGN 6.8).
//
//   delta      = 0x06 version:u8 number:u64 before:digest after:digest entry* 0x00
//   entry      = gap:varint change       the slot is that of the entry before plus gap; the first
//                                        entry's is gap - 1. No gap is 0: that is the end
//   change     = 0x00                              free now
//              | 0x01 size:varint leaf             another object: its payload (node_format.h)
//              | 0x02 splice                       the same object with another value
//              | 0x03 size:varint references splice    and with references at these offsets
//   splice     = front:varint back:varint size:varint byte{size}
//   references = offset:u32{size / 4}              packed, as in references.h
//
// `before` and `after` are the roots. Entries are the slots whose leaves differ and all that the
// batch has added to the tree, by ascending slot. A splice keeps `front` and `back` bytes of the
// value that was there and puts its own in between; both are as large as can be, `front` first.
// References in values are slots, as in what is hashed. Two free-standing objects in one slot are
// one object. A varint has seven bits a byte, the lowest first, the top bit says that more follow,
// and is as short as can be; all other integers are little-endian. So there is one delta from a
// state to another, and none other is accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "state/node_format.h"
#include "state/object.h"

namespace eve::state {

inline constexpr char kDeltaTag = 6;
inline constexpr char kDeltaVersion = 1;

/// The most that an entry's leaf or splice may be: within it lie all that an object can hold.
inline constexpr size_t kMaxDeltaPartBytes = kMaxKeyBytes + kMaxValueBytes + 64;

struct DeltaHeader {
  BatchNumber number;
  crypto::Digest before;
  crypto::Digest after;
};

void encode_delta_header(const DeltaHeader& header, size_t digest_size, Bytes& out);

/// A slot that has changed. Views into what was parsed.
struct DeltaEntry {
  enum class Change : uint8_t { kFree, kObject, kValue, kValueAndReferences };

  uint64_t slot = 0;
  Change change = Change::kFree;
  ByteView leaf{};        ///< kObject
  ByteView references{};  ///< kValueAndReferences
  uint64_t front = 0;     ///< of the value before; with `back` and `middle` for the last two
  uint64_t back = 0;
  ByteView middle{};
};

/// Writes entries, by ascending slot. What a leaf held is what is hashed: references are slots.
class DeltaEncoder {
 public:
  /// Appends what makes `before` into `after`, if they differ; nullopt: free. `is_new`: the slot
  /// was not there before, so that it is told even if it is free.
  void entry(uint64_t slot, const std::optional<Leaf>& before, const std::optional<Leaf>& after,
             bool is_new, Bytes& out);
  void end(Bytes& out) const { out.push_back('\0'); }

 private:
  uint64_t next_ = 0;  ///< the slot behind the last one told
};

/// Reads a delta that comes in pieces cut anywhere. What is malformed, or not as short as can be,
/// is refused; memory is that of one piece and one entry.
class DeltaParser {
 public:
  explicit DeltaParser(size_t digest_size) : digest_size_(digest_size) {}

  void supply(ByteView piece);
  /// Null until there are enough bytes.
  const DeltaHeader* header();
  /// The next entry, which lives until the next supply(). Nullopt: at the end, or something is
  /// wrong, or more bytes are needed.
  std::optional<DeltaEntry> next();
  /// Nothing is missing, and nothing too much.
  bool complete() const { return ended_ && at_ == buffer_.size(); }
  /// What is wrong; empty: nothing so far.
  const std::string& why() const { return why_; }

 private:
  class Cursor;
  void read(Cursor& in, DeltaEntry& entry);

  const size_t digest_size_;
  std::optional<DeltaHeader> header_;
  Bytes buffer_;
  size_t at_ = 0;
  uint64_t next_slot_ = 0;
  bool ended_ = false;
  std::string why_;
};

/// What a leaf that was `before` becomes by `entry`, of change kValue or kValueAndReferences; its
/// value may lie in `value`. Nullopt, and what is wrong in `why`, if there is no such leaf, or
/// another entry is the one that says so.
std::optional<Leaf> spliced(const Leaf& before, const DeltaEntry& entry, Bytes& value,
                            std::string& why);

/// Whether a slot that held `before` and now holds `after` holds the same object.
bool is_same_object(const Leaf& before, const Leaf& after);

}  // namespace eve::state
