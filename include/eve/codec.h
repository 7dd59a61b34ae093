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

}  // namespace eve
