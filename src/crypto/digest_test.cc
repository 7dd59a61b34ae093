#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/random.h"
#include "crypto/hex.h"

namespace eve::crypto {
namespace {

Secret secret_of(uint8_t first) {
  Secret secret{};
  secret[0] = first;
  return secret;
}

TEST(Digest, Sha256OfFips180) {
  const Digester digester(DigestAlgorithm::kSha256, secret_of(1));
  EXPECT_EQ(digester.digest("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digester.digest("").hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digester.digest("abc").brief(), "ba7816bf8f01");
  EXPECT_EQ(digester.size(), 32u);
}

TEST(Digest, Sha256IgnoresTheSecret) {
  const Digester a(DigestAlgorithm::kSha256, secret_of(1));
  const Digester b(DigestAlgorithm::kSha256, secret_of(2));
  EXPECT_EQ(a.digest("x"), b.digest("x"));
  EXPECT_NE(a.keyed_hash("x"), b.keyed_hash("x"));
}

TEST(Digest, Xxh3DependsOnTheSecretAndFillsHalf) {
  const Digester a(DigestAlgorithm::kXxh3, secret_of(1));
  const Digester b(DigestAlgorithm::kXxh3, secret_of(2));
  for (const size_t size : {0u, 1u, 3u, 16u, 17u, 128u, 240u, 241u, 5000u}) {
    const Bytes bytes(size, 'x');
    const Digest digest = a.digest(bytes);
    EXPECT_EQ(digest, a.digest(bytes));
    EXPECT_NE(digest, b.digest(bytes)) << size;
    EXPECT_EQ(digest.view().substr(16), ByteView(Digest().view()).substr(16));
    EXPECT_NE(a.keyed_hash(bytes), b.keyed_hash(bytes)) << size;
  }
  EXPECT_EQ(a.size(), 16u);
}

// Replicas of different builds must agree, and what is on disk must stay valid.
TEST(Digest, Xxh3IsPinned) {
  const Digester digester(DigestAlgorithm::kXxh3, secret_of(1));
  EXPECT_EQ(digester.digest("abc").hex(),
            "d66960385856e65b43dea7631b2f5a0200000000000000000000000000000000");
  EXPECT_EQ(digester.keyed_hash("abc"), 4890530289470626306u);
}

TEST(Digest, ContextsAreReusedSafely) {
  const Digester digester(DigestAlgorithm::kSha256, secret_of(1));
  const Bytes large(100'000, 'y');
  const Digest expected = digester.digest(large);
  auto work = [&] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(digester.digest(large), expected);
      EXPECT_NE(digester.digest("small"), expected);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

TEST(Digest, SecretsAreDrawn) {
  std::set<Secret> drawn;
  for (int i = 0; i < 100; ++i) drawn.insert(random_secret());
  EXPECT_EQ(drawn.size(), 100u);
}

TEST(Hex, RoundTrip) {
  Random random(1);
  for (size_t size = 0; size < 50; ++size) {
    Bytes bytes;
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random.next()));
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Hex, RefusesOtherCharacters) {
  EXPECT_EQ(from_hex("0aFf"), Bytes("\x0a\xff"));
  for (const char* bad : {"0", "0g", "g0", "0x", " 0", "0:", "/0", "@@", "``"}) {
    EXPECT_FALSE(from_hex(bad)) << bad;
  }
}

}  // namespace
}  // namespace eve::crypto
