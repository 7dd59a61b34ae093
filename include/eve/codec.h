// How a C++ type becomes canonical bytes: what is stored, hashed and transferred. Equal values must
// give equal bytes on every machine. Specialize Codec<T> to store your own types.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "eve/bytes.h"

namespace eve {

/// Codec<T> has two static functions:
///   static void encode(const T& value, Bytes& out);   appends the canonical bytes of `value`
///   static std::optional<T> decode(ByteView bytes);    nullopt when `bytes` encode no T
/// Integers are fixed-width little-endian; enums as their underlying type; strings as themselves.
template <typename T, typename = void>
struct Codec;

template <typename T>
struct Codec<T, std::enable_if_t<std::is_integral_v<T>>> {
  static void encode(const T& value, Bytes& out) {
    auto rest = static_cast<
        std::make_unsigned_t<std::conditional_t<std::is_same_v<T, bool>, unsigned char, T>>>(value);
    for (size_t i = 0; i < sizeof(T); ++i) {
      out.push_back(static_cast<char>(rest & 0xff));
      if constexpr (sizeof(T) > 1) rest = static_cast<decltype(rest)>(rest >> 8);
    }
  }
  static std::optional<T> decode(ByteView bytes) {
    if (bytes.size() != sizeof(T)) return std::nullopt;
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return static_cast<T>(value);
  }
};

template <typename T>
struct Codec<T, std::enable_if_t<std::is_enum_v<T>>> {
  using Underlying = std::underlying_type_t<T>;
  static void encode(const T& value, Bytes& out) {
    Codec<Underlying>::encode(static_cast<Underlying>(value), out);
  }
  static std::optional<T> decode(ByteView bytes) {
    auto value = Codec<Underlying>::decode(bytes);
    if (!value) return std::nullopt;
    return static_cast<T>(*value);
  }
};

template <>
struct Codec<std::string> {
  static void encode(const std::string& value, Bytes& out) { out.append(value); }
  static std::optional<std::string> decode(ByteView bytes) { return std::string(bytes); }
};

namespace detail {

template <typename T>
concept HasCodec = requires(const T& value, Bytes& out) {
  Codec<T>::encode(value, out);
};

/// The canonical bytes of a value for as long as both live; strings are not copied.
template <typename T>
class Encoded {
 public:
  static_assert(HasCodec<T>,
                "a key or value needs a public fields() (eve/fields.h) or a Codec<T>; floating "
                "point has none, and a Ref cannot be a key");
  explicit Encoded(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      view_ = value;
    } else {
      Codec<T>::encode(value, bytes_);
      view_ = bytes_;
    }
  }
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;
  ByteView view() const { return view_; }

 private:
  Bytes bytes_;
  ByteView view_;
};

}  // namespace detail

}  // namespace eve
