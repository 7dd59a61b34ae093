// Primitives of the canonical encoding, incoming. Bytes are hostile: every length is compared with
// what is left before it is used, and every count before memory is reserved for it.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::wire {

/// Reads from the front of a frame. The first problem sticks: from then on nothing is left, every
/// read gives zero or nothing, and loops over a count end by themselves or at failed(). Views are
/// into the frame. Not thread-safe.
class Reader {
 public:
  explicit Reader(ByteView frame) : frame_(frame), rest_(frame) {}

  template <typename T>
  T integer() {
    static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>);
    const ByteView bytes = raw(sizeof(T));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return static_cast<T>(value);
  }
  template <typename Id>
  Id id() {
    return Id(integer<typename Id::Value>());
  }
  /// An enum whose enumerators are consecutive, from `first` to `last`.
  template <typename Enum>
  Enum enumerator(Enum first, Enum last) {
    const auto value = static_cast<Enum>(integer<std::underlying_type_t<Enum>>());
    if (value >= first && value <= last) return value;
    fail("unknown value of an enumeration");
    return first;
  }
  bool boolean();
  /// An index that must be below `limit`.
  uint16_t index(size_t limit);
  crypto::Digest digest();
  /// How many elements follow: at most `limit`, and no more than fit into what is left when each
  /// takes `min_bytes` or more.
  size_t count(size_t limit, size_t min_bytes);
  /// A length, at most `limit`, and that many bytes.
  ByteView sized(size_t limit);
  ByteView raw(size_t size);

  size_t position() const { return frame_.size() - rest_.size(); }
  /// What was read since position() was `start`.
  ByteView since(size_t start) const { return frame_.substr(start, position() - start); }
  size_t remaining() const { return rest_.size(); }

  void fail(const char* problem);
  bool failed() const { return problem_ != nullptr; }
  /// Null when nothing is wrong.
  const char* problem() const { return problem_; }
  /// Where it went wrong.
  size_t failed_at() const { return failed_at_; }

 private:
  ByteView frame_;
  ByteView rest_;
  const char* problem_ = nullptr;
  size_t failed_at_ = 0;
};

}  // namespace eve::wire
