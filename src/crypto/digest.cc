#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <xxhash.h>

#include <memory>

#include "base/check.h"
#include "crypto/hex.h"

namespace eve::crypto {

namespace {

/// SHA-256 with everything that costs (fetching the algorithm, allocating a context) done once a
/// thread: an implicit fetch costs more than hashing a small object.
class Sha256 {
 public:
  Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    EVE_CHECK(algorithm_ && context_, "OpenSSL has no SHA-256");
  }

  void compute(ByteView bytes, uint8_t* out) {
    const bool done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), out, nullptr) == 1;
    EVE_CHECK(done, "SHA-256 failed");
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

void sha256(ByteView bytes, uint8_t* out) {
  thread_local Sha256 of_this_thread;
  of_this_thread.compute(bytes, out);
}

}  // namespace

std::string Digest::hex() const {
  return to_hex(view());
}

std::string Digest::brief() const {
  return to_hex(view().substr(0, 6));
}

// XXH3 takes any uniform bytes as its secret. They are SHA-256(secret, i) and not the work of
// XXH3_generateSecret, whose output has changed from one release of xxHash to another: replicas
// with different libraries must agree.
Digester::Digester(DigestAlgorithm algorithm, const Secret& secret) : algorithm_(algorithm) {
  static_assert(sizeof xxh_secret_ >= XXH3_SECRET_SIZE_MIN);
  constexpr size_t kBlock = sizeof(Digest::bytes);
  static_assert(sizeof xxh_secret_ % kBlock == 0);
  Bytes input(reinterpret_cast<const char*>(secret.data()), secret.size());
  input.push_back('\0');
  for (size_t i = 0; i < xxh_secret_.size() / kBlock; ++i) {
    input.back() = static_cast<char>(i);
    sha256(input, xxh_secret_.data() + i * kBlock);
  }
}

Digest Digester::digest(ByteView bytes) const {
  Digest digest;
  if (algorithm_ == DigestAlgorithm::kSha256) {
    sha256(bytes, digest.bytes.data());
    return digest;
  }
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), xxh_secret_.data(), xxh_secret_.size());
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::memcpy(digest.bytes.data(), canonical.digest, sizeof canonical.digest);
  return digest;
}

uint64_t Digester::keyed_hash(ByteView bytes) const {
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), xxh_secret_.data(), xxh_secret_.size());
}

Secret random_secret() {
  Secret secret;
  EVE_CHECK(RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) == 1,
            "the operating system gives no random bytes");
  return secret;
}

}  // namespace eve::crypto
