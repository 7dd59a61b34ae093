// Digests: SHA-256 where nodes may lie, XXH3-128 with a secret where only clients may be hostile
// (DESIGN 5.4). A Digest holds 32 bytes either way; XXH3's upper half is zero.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "eve/bytes.h"

namespace eve::crypto {

struct Digest {
  std::array<uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  ByteView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  std::string hex() const;
  /// First 12 hexadecimal digits: for logs and tables.
  std::string brief() const;
};

enum class DigestAlgorithm : uint8_t { kSha256 = 1, kXxh3 = 2 };

/// The cluster's shared secret for keyed hashing, drawn at `eve init`.
using Secret = std::array<uint8_t, 32>;

/// Computes digests with the cluster's algorithm and secret. Immutable after construction, usable
/// from any number of threads (each thread keeps its own OpenSSL context).
class Digester {
 public:
  Digester(DigestAlgorithm algorithm, const Secret& secret);

  DigestAlgorithm algorithm() const { return algorithm_; }
  /// Significant bytes of a digest: 32 or 16.
  size_t size() const { return algorithm_ == DigestAlgorithm::kSha256 ? 32 : 16; }

  Digest digest(ByteView bytes) const;

  /// 64-bit hash keyed by the secret, the same on every replica: for tables and mixing.
  uint64_t keyed_hash(ByteView bytes) const;

 private:
  DigestAlgorithm algorithm_;
  alignas(64) std::array<uint8_t, 192> xxh_secret_;
};

/// Uniform random bytes from the operating system: keys, nonces, secrets. Aborts if it has none.
Secret random_secret();

}  // namespace eve::crypto

template <>
struct std::hash<eve::crypto::Digest> {
  size_t operator()(const eve::crypto::Digest& digest) const {
    size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
