// Incremental hashes of a set of objects, without a tree: a change takes the old object's hash out
// and puts the new one's in. For comparisons (docs/state.md, "Alternatives measured").
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

#include "crypto/digest.h"
#include "eve/bytes.h"

namespace eve::bench {

/// The sum of the objects' digests as whole numbers, modulo 2^128 or 2^256: AdHash. Not
/// thread-safe.
class SumHash {
 public:
  explicit SumHash(const crypto::Digester& digester) : digester_(digester) {}
  void replace(ByteView before, ByteView after);
  void insert(ByteView object) { add(digester_.digest(object)); }
  crypto::Digest token() const;

 private:
  void add(const crypto::Digest& digest);
  void subtract(const crypto::Digest& digest);

  const crypto::Digester& digester_;
  std::array<uint64_t, 4> sum_{};
};

/// LtHash16: the sum of vectors of 1,024 numbers modulo 2^16, expanded from each object. Not
/// thread-safe.
class LtHash {
 public:
  /// How an object becomes a vector.
  enum class Expand {
    kShake128,  ///< an extendable hash function: the scheme as its authors mean it
    kChaCha20,  ///< SHA-256 as the key of a stream: cheaper, one more assumption
  };
  explicit LtHash(Expand expand);
  void replace(ByteView before, ByteView after);
  void insert(ByteView object);
  crypto::Digest token() const;

 private:
  using Vector = std::array<uint16_t, 1024>;
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_CIPHER* algorithm) const { EVP_CIPHER_free(algorithm); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  void expand(ByteView object);

  const Expand expand_;
  const crypto::Digester digester_;
  std::unique_ptr<EVP_MD, Free> shake_;
  std::unique_ptr<EVP_MD_CTX, Free> shake_context_;
  std::unique_ptr<EVP_CIPHER, Free> chacha_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> chacha_context_;
  Vector expanded_{};
  Vector sum_{};
};

}  // namespace eve::bench
