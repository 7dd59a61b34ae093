// Primitives of the canonical encoding, outgoing: fixed-width little-endian integers, 4-byte
// lengths.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::wire {

/// Appends to a buffer of its own. Not thread-safe.
class Writer {
 public:
  explicit Writer(size_t expected_bytes = 0) { out_.reserve(expected_bytes); }

  template <typename T>
  void integer(T value) {
    static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>);
    char bytes[sizeof(T)];
    auto rest = static_cast<uint64_t>(value);
    for (size_t i = 0; i < sizeof(T); ++i, rest >>= 8) bytes[i] = static_cast<char>(rest & 0xff);
    out_.append(bytes, sizeof bytes);
  }
  template <typename Tag, typename Rep>
  void id(StrongId<Tag, Rep> value) {
    integer(value.value());
  }
  template <typename Enum>
  void enumerator(Enum value) {
    integer(static_cast<std::underlying_type_t<Enum>>(value));
  }
  void boolean(bool value) { integer<uint8_t>(value ? 1 : 0); }
  void digest(const crypto::Digest& digest) { out_.append(digest.view()); }
  /// A number of elements that follow.
  void count(size_t count) { integer(static_cast<uint32_t>(count)); }
  /// Length, then the bytes.
  void sized(ByteView bytes) {
    count(bytes.size());
    out_.append(bytes);
  }
  /// The bytes alone: what is already encoded.
  void raw(ByteView bytes) { out_.append(bytes); }

  ByteView view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace eve::wire
