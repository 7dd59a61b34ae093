#include "eve/key_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace eve {
namespace {

template <typename T>
Bytes key_of(const T& value) {
  Bytes bytes;
  KeyCodec<T>::encode(value, bytes);
  return bytes;
}

/// Equal just when equal, less just when less, and back again.
template <typename T>
void check_pair(const T& a, const T& b) {
  RC_ASSERT((key_of(a) < key_of(b)) == (a < b));
  RC_ASSERT((key_of(a) == key_of(b)) == (a == b));
  RC_ASSERT(KeyCodec<T>::decode(key_of(a)) == std::optional(a));
}

template <typename T>
bool orders() {
  return rc::check([] { check_pair(*rc::gen::arbitrary<T>(), *rc::gen::arbitrary<T>()); });
}

/// Strings of few different bytes, so that many begin with one another.
rc::Gen<std::string> awkward() {
  return rc::gen::container<std::string>(rc::gen::element('\0', '\1', 'a', '\xfe', '\xff'));
}

TEST(KeyCodec, OrdersIntegers) {
  EXPECT_TRUE(orders<bool>());
  EXPECT_TRUE(orders<uint8_t>());
  EXPECT_TRUE(orders<int8_t>());
  EXPECT_TRUE(orders<uint16_t>());
  EXPECT_TRUE(orders<int16_t>());
  EXPECT_TRUE(orders<uint32_t>());
  EXPECT_TRUE(orders<int32_t>());
  EXPECT_TRUE(orders<uint64_t>());
  EXPECT_TRUE(orders<int64_t>());
}

TEST(KeyCodec, OrdersTheEndsOfIntegers) {
  EXPECT_EQ(key_of<int32_t>(INT32_MIN), Bytes(4, '\0'));
  EXPECT_EQ(key_of<int32_t>(-1), Bytes("\x7f\xff\xff\xff"));
  EXPECT_EQ(key_of<int64_t>(INT64_MAX), Bytes(8, '\xff'));
  EXPECT_EQ(key_of<uint16_t>(0x1234), Bytes("\x12\x34"));
  enum class Colour : int8_t { kRed = -1, kGreen = 3 };
  EXPECT_LT(key_of(Colour::kRed), key_of(Colour::kGreen));
  EXPECT_EQ(KeyCodec<Colour>::decode(key_of(Colour::kRed)), Colour::kRed);
}

TEST(KeyCodec, OrdersTuples) {
  EXPECT_TRUE(rc::check("a string last", [] {
    using Key = std::pair<int16_t, std::string>;
    const auto key = rc::gen::pair(rc::gen::inRange<int16_t>(-2, 2), awkward());
    check_pair<Key>(*key, *key);
  }));
  EXPECT_TRUE(rc::check("strings before others", [] {
    using Key = std::tuple<std::string, std::string, int8_t>;
    const auto key = rc::gen::tuple(awkward(), awkward(), rc::gen::inRange<int8_t>(-2, 2));
    check_pair<Key>(*key, *key);
  }));
  EXPECT_TRUE(rc::check("tuples in tuples", [] {
    using Key = std::pair<std::pair<std::string, std::string>, std::string>;
    const auto key = rc::gen::pair(rc::gen::pair(awkward(), awkward()), awkward());
    check_pair<Key>(*key, *key);
  }));
}

TEST(KeyCodec, EncodesLeadingPartsAsTheBeginningOfAKey) {
  using Key = std::tuple<std::string, int32_t, std::string>;
  EXPECT_TRUE(rc::check([] {
    const Key key = *rc::gen::tuple(awkward(), rc::gen::arbitrary<int32_t>(), awkward());
    Bytes head;
    KeyCodec<Key>::encode_head(std::tuple(std::get<0>(key), std::get<1>(key)), head);
    RC_ASSERT(key_of(key) == head + std::get<2>(key));
    // No other first part has keys that begin so.
    const std::string other = *rc::gen::distinctFrom(awkward(), std::get<0>(key));
    Bytes one;
    KeyCodec<Key>::encode_head(std::tuple(std::get<0>(key)), one);
    RC_ASSERT(key_of(Key(other, 0, "")).substr(0, one.size()) != one);
  }));
}

TEST(KeyCodec, RefusesWhatNoValueEncodesTo) {
  EXPECT_FALSE(KeyCodec<bool>::decode("\2"));
  EXPECT_FALSE(KeyCodec<uint32_t>::decode("123"));
  EXPECT_FALSE(KeyCodec<uint32_t>::decode("12345"));
  using Key = std::tuple<std::string, uint8_t>;
  EXPECT_TRUE(KeyCodec<Key>::decode(Bytes("a\0\0b", 4)));
  EXPECT_FALSE(KeyCodec<Key>::decode("ab"));
  EXPECT_FALSE(KeyCodec<Key>::decode(Bytes("a\0", 2)));
  EXPECT_FALSE(KeyCodec<Key>::decode(Bytes("a\0\1b", 4)));
  EXPECT_FALSE(KeyCodec<Key>::decode(Bytes("a\0\0", 3)));
  EXPECT_FALSE(KeyCodec<Key>::decode(Bytes("a\0\0bc", 5)));
  EXPECT_TRUE(rc::check("any bytes", [] {
    const Bytes bytes = *awkward();
    const auto key = KeyCodec<Key>::decode(bytes);
    if (key) RC_ASSERT(key_of(*key) == bytes);  // with || both sides would be evaluated
  }));
}

}  // namespace
}  // namespace eve
