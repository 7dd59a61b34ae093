// References in a value: eight bytes each, at offsets that are kept beside the value ("packed": a
// little-endian u32 each, ascending).
//
//   in memory                     a handle: worker << 48 | a counter of that worker. Local to this
//                                 replica, never reused while the engine lives
//   in what is hashed and sent    the slot of the object
//
// Nothing and "an object that is not there" have values of their own in both.
#pragma once

#include <array>
#include <cstdint>

#include "eve/bytes.h"
#include "eve/codec.h"

namespace eve::state {

inline constexpr uint64_t kNoHandle = 0;
inline constexpr uint64_t kGoneHandle = ~uint64_t{0};
inline constexpr uint64_t kNullSlot = ~uint64_t{0};
inline constexpr uint64_t kGoneSlot = ~uint64_t{0} - 1;

inline constexpr size_t kReferenceBytes = 8;
inline constexpr size_t kOffsetBytes = sizeof(uint32_t);

/// Whether `packed` says where references lie in a value of `value_size` bytes.
bool valid_references(ByteView packed, size_t value_size);

inline uint32_t reference_offset(ByteView packed, size_t index) {
  return *Codec<uint32_t>::decode(packed.substr(index * kOffsetBytes, kOffsetBytes));
}
inline uint64_t reference_at(ByteView value, size_t offset) {
  return *Codec<uint64_t>::decode(value.substr(offset, kReferenceBytes));
}
/// Calls visit(reference) for each, by ascending offset.
template <typename Visit>
void each_reference(ByteView packed, ByteView value, const Visit& visit) {
  for (size_t i = 0; i * kOffsetBytes < packed.size(); ++i) {
    visit(reference_at(value, reference_offset(packed, i)));
  }
}
/// Replaces each reference by change(reference). `value` is the last part of `bytes`.
template <typename Change>
void change_references(ByteView packed, size_t value_size, Bytes& bytes, const Change& change) {
  const size_t start = bytes.size() - value_size;
  Bytes changed;
  for (size_t i = 0; i * kOffsetBytes < packed.size(); ++i) {
    const size_t at = start + reference_offset(packed, i);
    changed.clear();
    Codec<uint64_t>::encode(change(reference_at(bytes, at)), changed);
    bytes.replace(at, kReferenceBytes, changed);
  }
}

/// A free-standing object's key in its table: the handle's bytes.
class HandleKey {
 public:
  explicit HandleKey(uint64_t handle) {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(handle >> (8 * i));
  }
  ByteView view() const { return {bytes_.data(), bytes_.size()}; }
  static uint64_t handle(ByteView key) { return *Codec<uint64_t>::decode(key); }

 private:
  std::array<char, kReferenceBytes> bytes_;
};

}  // namespace eve::state
