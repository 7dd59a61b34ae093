// Canonical bytes for structures: a type that names its fields can be stored.
//
//   struct Account {
//     std::string owner;
//     std::vector<uint64_t> limits;
//     Ref<Account> parent;
//     template <typename A> void fields(A& archive) { archive(owner, limits, parent); }
//   };
//
// A free function `template <typename A> void fields(A& archive, Account& account)` beside the type
// does as well. `fields` names every field in a fixed order and does nothing else; it serves
// reading and writing. A field is an integer, an enum, a bool, a string, a type with fields or with
// a Codec, a Ref, or a vector, optional, pair, tuple or array of those. Floating point is left out:
// its bytes are not canonical.
//
//   integer, enum   fixed-width little-endian         bool           one byte, 0 or 1
//   vector          count:u32, then the elements      optional       0, or 1 and the value
//   string, Codec   size:u32, then the bytes          pair, tuple, array    their parts
//   structure       its fields                        Ref            8 bytes, in stored values only
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "eve/bytes.h"
#include "eve/codec.h"
#include "eve/ref.h"

namespace eve {

/// Structures may nest this deep; bytes that claim more are malformed, values that are more throw
/// std::length_error.
inline constexpr unsigned kMaxFieldDepth = 64;

/// What `fields` is given to write. `kStored`: for a container's value, where references may be.
template <bool kStored>
class FieldWriter;
/// What `fields` is given to read.
template <bool kStored>
class FieldReader;

namespace detail {

template <typename T>
concept HasMemberFields = requires(T& value, FieldWriter<true>& archive) {
  value.fields(archive);
};
template <typename T>
concept HasFreeFields = requires(T& value, FieldWriter<true>& archive) {
  fields(archive, value);
};
template <typename T>
concept HasFields = HasMemberFields<T> || HasFreeFields<T>;
template <typename A, typename T>
void visit_fields(A& archive, T& value) {
  if constexpr (HasMemberFields<T>) {
    value.fields(archive);
  } else {
    fields(archive, value);
  }
}

template <typename T>
inline constexpr bool kIsComposite = HasFields<T>;
template <typename T>
inline constexpr bool kIsComposite<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsComposite<std::optional<T>> = true;
template <typename A, typename B>
inline constexpr bool kIsComposite<std::pair<A, B>> = true;
template <typename T, size_t kSize>
inline constexpr bool kIsComposite<std::array<T, kSize>> = true;
template <typename... T>
inline constexpr bool kIsComposite<std::tuple<T...>> = true;

/// Throws std::length_error: no value may nest deeper than kMaxFieldDepth or have 2^32 parts.
[[noreturn]] void value_beyond_limits();
/// Throws std::invalid_argument: elements of a vector that take no bytes could not be read back.
[[noreturn]] void value_without_bytes();

template <typename T>
inline constexpr bool kNever = false;

}  // namespace detail

template <bool kStored>
class FieldWriter {
 public:
  /// Appends to `out`; the offset of each reference in it, a u32, to `references`.
  FieldWriter(Bytes& out, Bytes& references) : out_(out), references_(references) {}

  template <typename... T>
  void operator()(const T&... values) {
    (write(values), ...);
  }

 private:
  template <typename T>
  void write(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      Codec<T>::encode(value, out_);
    } else if constexpr (detail::HasFields<T>) {
      if (++depth_ > kMaxFieldDepth) detail::value_beyond_limits();
      // Sound: `fields` only passes the fields on, and they come back as constants.
      detail::visit_fields(*this, const_cast<T&>(value));
      --depth_;
    } else if constexpr (detail::HasCodec<T>) {
      const size_t at = out_.size();
      count(0);
      Codec<T>::encode(value, out_);
      Bytes size;
      const size_t written = out_.size() - at - sizeof(uint32_t);
      if (written > UINT32_MAX) detail::value_beyond_limits();
      Codec<uint32_t>::encode(static_cast<uint32_t>(written), size);
      out_.replace(at, size.size(), size);
    } else {
      static_assert(detail::kNever<T>, "a field of this type needs fields() or a Codec");
    }
  }
  template <typename T>
  void write(const Ref<T>& ref) {
    static_assert(kStored, "references live in the values of containers only");
    Codec<uint32_t>::encode(static_cast<uint32_t>(out_.size()), references_);
    Codec<uint64_t>::encode(detail::RefAccess::handle(ref), out_);
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    count(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t before = out_.size();
      const T& value = values[i];
      write(value);
      if (out_.size() == before) detail::value_without_bytes();
    }
  }
  template <typename T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value) write(*value);
  }
  template <typename A, typename B>
  void write(const std::pair<A, B>& value) {
    write(value.first);
    write(value.second);
  }
  template <typename T, size_t kSize>
  void write(const std::array<T, kSize>& values) {
    for (const T& value : values) write(value);
  }
  template <typename... T>
  void write(const std::tuple<T...>& values) {
    std::apply([this](const T&... value) { (write(value), ...); }, values);
  }
  void count(size_t number) {
    if (number > UINT32_MAX) detail::value_beyond_limits();
    Codec<uint32_t>::encode(static_cast<uint32_t>(number), out_);
  }

  Bytes& out_;
  Bytes& references_;
  unsigned depth_ = 0;
};

template <bool kStored>
class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : rest_(bytes) {}

  template <typename... T>
  void operator()(T&... values) {
    (read(values), ...);
  }
  /// Whether everything was well-formed, and nothing is left.
  bool done() const { return ok_ && rest_.empty(); }

 private:
  template <typename T>
  void read(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = flag();
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      decode(sizeof(T), value);
    } else if constexpr (detail::HasFields<T>) {
      ok_ = ok_ && ++depth_ <= kMaxFieldDepth;
      if (!ok_) return;
      detail::visit_fields(*this, value);
      --depth_;
    } else if constexpr (detail::HasCodec<T>) {
      decode(count(), value);
    } else {
      static_assert(detail::kNever<T>, "a field of this type needs fields() or a Codec");
    }
  }
  template <typename T>
  void read(Ref<T>& ref) {
    static_assert(kStored, "references live in the values of containers only");
    uint64_t handle = 0;
    decode(sizeof handle, handle);
    ref = detail::RefAccess::make<T>(handle);
  }
  template <typename T>
  void read(std::vector<T>& values) {
    values.clear();
    // Every element takes a byte, so a count that lies is found out before it costs more than
    // sizeof(T) for each byte that there is.
    const size_t number = count();
    if (number > rest_.size()) ok_ = false;
    for (size_t i = 0; i < number && ok_; ++i) {
      const size_t before = rest_.size();
      T value{};
      read(value);
      ok_ = ok_ && rest_.size() < before;
      values.push_back(std::move(value));
    }
  }
  template <typename T>
  void read(std::optional<T>& value) {
    value.reset();
    if (flag()) read(value.emplace());
  }
  template <typename A, typename B>
  void read(std::pair<A, B>& value) {
    read(value.first);
    read(value.second);
  }
  template <typename T, size_t kSize>
  void read(std::array<T, kSize>& values) {
    for (T& value : values) read(value);
  }
  template <typename... T>
  void read(std::tuple<T...>& values) {
    std::apply([this](T&... value) { (read(value), ...); }, values);
  }

  ByteView take(size_t size) {
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <typename T>
  void decode(size_t size, T& value) {
    const ByteView bytes = take(size);
    if (!ok_) return;
    auto decoded = Codec<T>::decode(bytes);
    ok_ = decoded.has_value();
    if (ok_) value = *std::move(decoded);
  }
  bool flag() {
    uint8_t byte = 0;
    decode(1, byte);
    ok_ = ok_ && byte <= 1;
    return ok_ && byte == 1;
  }
  uint32_t count() {
    uint32_t number = 0;
    decode(sizeof number, number);
    return number;
  }

  ByteView rest_;
  bool ok_ = true;
  unsigned depth_ = 0;
};

/// For requests, replies and keys: no references in them.
template <typename T>
struct Codec<T, std::enable_if_t<detail::kIsComposite<T>>> {
  static void encode(const T& value, Bytes& out) {
    Bytes none;
    FieldWriter<false> writer(out, none);
    writer(value);
  }
  static std::optional<T> decode(ByteView bytes) {
    T value{};
    FieldReader<false> reader(bytes);
    reader(value);
    if (!reader.done()) return std::nullopt;
    return value;
  }
};

namespace detail {

template <typename T>
inline constexpr bool kMayRefer = kIsComposite<T>;
template <typename T>
inline constexpr bool kMayRefer<Ref<T>> = true;

/// For containers: a value as it is stored, and the offsets of the references in it, a u32 each;
/// for as long as the value lives.
template <typename T>
class Stored {
 public:
  explicit Stored(const T& value) {
    FieldWriter<true> writer(bytes_, references_);
    writer(value);
  }
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;
  ByteView view() const { return bytes_; }
  ByteView references() const { return references_; }

 private:
  Bytes bytes_;
  Bytes references_;
};
template <typename T>
requires(!kMayRefer<T>) class Stored<T> : public Encoded<T> {
 public:
  using Encoded<T>::Encoded;
  ByteView references() const { return {}; }
};
template <typename T>
std::optional<T> decode_stored(ByteView bytes) {
  if constexpr (kMayRefer<T>) {
    T value{};
    FieldReader<true> reader(bytes);
    reader(value);
    if (!reader.done()) return std::nullopt;
    return value;
  } else {
    static_assert(HasCodec<T>, "a value needs a public fields() (eve/fields.h) or a Codec<T>");
    return Codec<T>::decode(bytes);
  }
}

}  // namespace detail

}  // namespace eve
