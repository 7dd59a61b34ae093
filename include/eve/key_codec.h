// How a C++ type becomes a key whose bytes sort as its values do. Specialize KeyCodec<T> to order
// your own types.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "eve/bytes.h"

namespace eve {

/// KeyCodec<T> has two static functions:
///   static void encode(const T& value, Bytes& out);   appends; a < b just when bytes(a) < bytes(b)
///   static std::optional<T> decode(ByteView bytes);    nullopt when no value encodes to `bytes`
/// and, if all values take the same number of bytes, that number:
///   static constexpr size_t kSize = ...;
///
/// Integers are big-endian, signed ones with the sign bit flipped; enums are their underlying type;
/// strings are themselves. Tuples and pairs are their parts one after the other. A part of variable
/// size that is not the last is escaped: a zero byte becomes 00 FF, and 00 00 ends it, so that a
/// string sorts before those it begins.
template <typename T, typename = void>
struct KeyCodec;

template <>
struct KeyCodec<bool> {
  static constexpr size_t kSize = 1;
  static void encode(bool value, Bytes& out) { out.push_back(value ? '\1' : '\0'); }
  static std::optional<bool> decode(ByteView bytes) {
    if (bytes.size() != kSize || static_cast<unsigned char>(bytes[0]) > 1) return std::nullopt;
    return bytes[0] == '\1';
  }
};

template <typename T>
struct KeyCodec<T, std::enable_if_t<std::is_integral_v<T>>> {
  static_assert(!std::is_same_v<T, char>, "char has its sign from the machine: use int8_t");
  static constexpr size_t kSize = sizeof(T);
  static void encode(T value, Bytes& out) {
    const uint64_t bits = static_cast<uint64_t>(value) ^ kFlip;
    for (size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<char>(bits >> (8 * i) & 0xff));
  }
  static std::optional<T> decode(ByteView bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    uint64_t bits = 0;
    for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
    return static_cast<T>(bits ^ kFlip);
  }

 private:
  static constexpr uint64_t kFlip =
      std::is_signed_v<T> ? uint64_t{1} << (8 * sizeof(T) - 1) : uint64_t{0};
};

template <typename T>
struct KeyCodec<T, std::enable_if_t<std::is_enum_v<T>>> {
  using Underlying = std::underlying_type_t<T>;
  static constexpr size_t kSize = sizeof(T);
  static void encode(T value, Bytes& out) {
    KeyCodec<Underlying>::encode(static_cast<Underlying>(value), out);
  }
  static std::optional<T> decode(ByteView bytes) {
    const auto value = KeyCodec<Underlying>::decode(bytes);
    return value ? std::optional<T>(static_cast<T>(*value)) : std::nullopt;
  }
};

template <>
struct KeyCodec<std::string> {
  static void encode(ByteView value, Bytes& out) { out.append(value); }
  static std::optional<std::string> decode(ByteView bytes) { return std::string(bytes); }
};

namespace key_codec {

template <typename T, typename = void>
struct IsFixed : std::false_type {};
template <typename T>
struct IsFixed<T, std::void_t<decltype(KeyCodec<T>::kSize)>> : std::true_type {};

/// Appends a part that others follow.
template <typename T>
void encode_part(const T& value, Bytes& out) {
  if constexpr (IsFixed<T>::value) {
    KeyCodec<T>::encode(value, out);
  } else {
    Bytes plain;
    KeyCodec<T>::encode(value, plain);
    for (const char byte : plain) {
      out.push_back(byte);
      if (byte == '\0') out.push_back('\xff');
    }
    out.append(2, '\0');
  }
}

/// Undoes the escape, up to and with the end mark; nullopt if it is malformed.
inline std::optional<Bytes> unescape(ByteView& rest) {
  Bytes plain;
  for (size_t i = 0; i < rest.size(); ++i) {
    plain.push_back(rest[i]);
    if (rest[i] != '\0') continue;
    if (++i == rest.size()) return std::nullopt;
    if (rest[i] == '\xff') continue;
    if (rest[i] != '\0') return std::nullopt;
    plain.pop_back();
    rest.remove_prefix(i + 1);
    return plain;
  }
  return std::nullopt;
}

/// Takes a part that others follow off the front of `rest`.
template <typename T>
std::optional<T> decode_part(ByteView& rest) {
  if constexpr (IsFixed<T>::value) {
    if (rest.size() < KeyCodec<T>::kSize) return std::nullopt;
    const ByteView own = rest.substr(0, KeyCodec<T>::kSize);
    rest.remove_prefix(KeyCodec<T>::kSize);
    return KeyCodec<T>::decode(own);
  } else {
    const auto plain = unescape(rest);
    return plain ? KeyCodec<T>::decode(*plain) : std::nullopt;
  }
}

/// Tuples, and what can be taken apart as one.
template <typename Tuple>
struct Parts {
  static constexpr size_t kCount = std::tuple_size_v<Tuple>;
  static_assert(kCount > 0);
  template <size_t I>
  using Part = std::tuple_element_t<I, Tuple>;

  static void encode(const Tuple& value, Bytes& out) {
    encode_head(value, out, std::make_index_sequence<kCount - 1>());
    KeyCodec<Part<kCount - 1>>::encode(std::get<kCount - 1>(value), out);
  }
  /// The leading parts of a key, given as a tuple of them.
  template <typename... Heads>
  static void encode_head(const std::tuple<Heads...>& head, Bytes& out) {
    static_assert(sizeof...(Heads) < kCount, "the last part has no mark where it ends");
    encode_head(head, out, std::make_index_sequence<sizeof...(Heads)>());
  }
  static std::optional<Tuple> decode(ByteView bytes) {
    return decode(bytes, std::make_index_sequence<kCount - 1>());
  }

 private:
  template <typename Head, size_t... I>
  static void encode_head(const Head& head, Bytes& out, std::index_sequence<I...>) {
    (encode_part<Part<I>>(std::get<I>(head), out), ...);
  }
  template <size_t... I>
  static std::optional<Tuple> decode(ByteView rest, std::index_sequence<I...>) {
    std::tuple<std::optional<Part<I>>...> parts;
    const bool whole = ((std::get<I>(parts) = decode_part<Part<I>>(rest)).has_value() && ...);
    if (!whole) return std::nullopt;
    auto last = KeyCodec<Part<kCount - 1>>::decode(rest);
    if (!last) return std::nullopt;
    return Tuple(std::move(*std::get<I>(parts))..., std::move(*last));
  }
};

}  // namespace key_codec

template <typename... Ts>
struct KeyCodec<std::tuple<Ts...>> : key_codec::Parts<std::tuple<Ts...>> {};
template <typename A, typename B>
struct KeyCodec<std::pair<A, B>> : key_codec::Parts<std::pair<A, B>> {};

}  // namespace eve
