#include "eve/fields.h"

#include <gtest/gtest.h>

namespace eve {
namespace {

enum class Colour : uint16_t { kRed = 1, kBlue = 0x203 };

struct Inner {
  int32_t number = 0;
  std::string text;
  bool operator==(const Inner&) const = default;
  template <typename A>
  void fields(A& archive) {
    archive(number, text);
  }
};

struct Outer {
  bool flag = false;
  Colour colour = Colour::kRed;
  std::vector<Inner> list;
  std::optional<Inner> maybe;
  std::pair<uint8_t, std::string> pair;
  std::array<uint16_t, 3> array{};
  std::vector<bool> bits;
  bool operator==(const Outer&) const = default;
};
template <typename A>
void fields(A& archive, Outer& outer) {
  archive(outer.flag, outer.colour, outer.list, outer.maybe, outer.pair, outer.array, outer.bits);
}

struct Chain {
  std::vector<Chain> next;
  template <typename A>
  void fields(A& archive) {
    archive(next);
  }
};

struct Nothing {
  template <typename A>
  void fields(A& archive) {
    archive();
  }
};

struct Linked {
  std::string text;
  Ref<Linked> one;
  std::vector<std::optional<Ref<Linked>>> more;
  template <typename A>
  void fields(A& archive) {
    archive(text, one, more);
  }
};

static_assert(!detail::HasCodec<Ref<Linked>>, "references are not for keys, requests and replies");
static_assert(sizeof(Ref<Linked>) == 8);

template <typename T>
Bytes encoded(const T& value) {
  Bytes bytes;
  Codec<T>::encode(value, bytes);
  return bytes;
}

Outer sample() {
  return {true, Colour::kBlue, {{-2, "x"}, {7, ""}}, Inner{1, "yz"}, {9, "p"}, {1, 2, 3}, {true}};
}

TEST(Fields, BytesAreCanonical) {
  EXPECT_EQ(encoded(Inner{-2, "ab"}), std::string("\xfe\xff\xff\xff\2\0\0\0ab", 10));
  EXPECT_EQ(encoded(std::optional<bool>()), std::string("\0", 1));
  EXPECT_EQ(encoded(std::optional<bool>(true)), "\1\1");
  EXPECT_EQ(encoded(std::vector<uint8_t>{5, 6}), std::string("\2\0\0\0\5\6", 6));
  EXPECT_EQ(encoded(std::pair<Colour, uint8_t>(Colour::kBlue, 4)), "\3\2\4");
}

TEST(Fields, ComeBack) {
  EXPECT_EQ(Codec<Outer>::decode(encoded(sample())), sample());
  EXPECT_EQ(Codec<Outer>::decode(encoded(Outer())), Outer());
}

TEST(Fields, TooShortOrTooLongIsNothing) {
  const Bytes whole = encoded(sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Codec<Outer>::decode(ByteView(whole).substr(0, size))) << size;
  }
  EXPECT_FALSE(Codec<Outer>::decode(whole + '\0'));
}

// What decodes is what would be encoded: no two byte strings for one value.
TEST(Fields, OtherSpellingsAreRefused) {
  const Bytes whole = encoded(sample());
  size_t accepted = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      Bytes changed = whole;
      changed[at] = static_cast<char>(byte);
      const auto decoded = Codec<Outer>::decode(changed);
      if (!decoded) continue;
      ++accepted;
      EXPECT_EQ(encoded(*decoded), changed);
    }
  }
  EXPECT_GT(accepted, whole.size());
  EXPECT_FALSE(Codec<std::optional<bool>>::decode("\2\1"));
  EXPECT_FALSE(Codec<std::optional<bool>>::decode("\1\2"));
}

TEST(Fields, CountsThatLieCostNothing) {
  EXPECT_FALSE(Codec<std::vector<uint64_t>>::decode("\xff\xff\xff\xff"));
  EXPECT_FALSE(Codec<std::vector<Nothing>>::decode("\xff\xff\xff\xff"));
  EXPECT_FALSE(Codec<std::vector<Nothing>>::decode(std::string("\4\0\0\0abcd", 8)));
  EXPECT_FALSE(Codec<std::vector<std::string>>::decode(std::string("\1\0\0\0\xff\xff\xff\xff", 8)));
}

TEST(Fields, DepthIsLimited) {
  const auto nested = [](unsigned depth) {
    Bytes bytes;
    for (unsigned i = 1; i < depth; ++i) Codec<uint32_t>::encode(1, bytes);
    Codec<uint32_t>::encode(0, bytes);
    return bytes;
  };
  EXPECT_TRUE(Codec<Chain>::decode(nested(kMaxFieldDepth)));
  EXPECT_FALSE(Codec<Chain>::decode(nested(kMaxFieldDepth + 1)));
  EXPECT_FALSE(Codec<Chain>::decode(nested(5'000'000)));
  Chain chain;
  for (unsigned i = 0; i < kMaxFieldDepth; ++i) chain = Chain{{chain}};
  EXPECT_THROW(encoded(chain), std::length_error);
}

TEST(Fields, ReferencesAreNoted) {
  const auto ref = detail::RefAccess::make<Linked>(0x0102030405060708);
  const Linked value{"abc", ref, {std::nullopt, ref, Ref<Linked>()}};
  const detail::Stored<Linked> stored(value);
  const Bytes bytes(stored.view());
  const Bytes references(stored.references());
  Bytes expected;
  for (const uint32_t offset : {7, 21, 30}) Codec<uint32_t>::encode(offset, expected);
  EXPECT_EQ(references, expected);
  EXPECT_EQ(bytes.substr(7, 8), "\x08\x07\x06\x05\x04\x03\x02\x01");
  const auto back = detail::decode_stored<Linked>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->one, ref);
  EXPECT_EQ(back->more, value.more);
}

}  // namespace
}  // namespace eve
