#include "bench/multiset_hash.h"

#include <cstring>

#include "base/check.h"

namespace eve::bench {
namespace {

__extension__ using Wide = unsigned __int128;

std::array<uint64_t, 4> words_of(const crypto::Digest& digest) {
  std::array<uint64_t, 4> words{};
  std::memcpy(words.data(), digest.bytes.data(), sizeof words);
  return words;
}

}  // namespace

// An XXH3 digest has zeroes in its upper half; carries into it do no harm, and cost the same.
void SumHash::add(const crypto::Digest& digest) {
  Wide carry = 0;
  const auto words = words_of(digest);
  for (size_t i = 0; i < sum_.size(); ++i) {
    carry += static_cast<Wide>(sum_[i]) + words[i];
    sum_[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

void SumHash::subtract(const crypto::Digest& digest) {
  Wide borrow = 0;
  const auto words = words_of(digest);
  for (size_t i = 0; i < sum_.size(); ++i) {
    const Wide difference = static_cast<Wide>(sum_[i]) - words[i] - borrow;
    sum_[i] = static_cast<uint64_t>(difference);
    borrow = (difference >> 64) & 1;
  }
}

void SumHash::replace(ByteView before, ByteView after) {
  subtract(digester_.digest(before));
  add(digester_.digest(after));
}

crypto::Digest SumHash::token() const {
  crypto::Digest digest;
  std::memcpy(digest.bytes.data(), sum_.data(), sizeof sum_);
  return digest;
}

LtHash::LtHash(Expand expand)
    : expand_(expand),
      digester_(crypto::DigestAlgorithm::kSha256, {}),
      shake_(EVP_MD_fetch(nullptr, "SHAKE128", nullptr)),
      shake_context_(EVP_MD_CTX_new()),
      chacha_(EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr)),
      chacha_context_(EVP_CIPHER_CTX_new()) {
  EVE_CHECK(shake_ && shake_context_ && chacha_ && chacha_context_,
            "OpenSSL has no SHAKE128 or ChaCha20");
}

void LtHash::expand(ByteView object) {
  auto* out = reinterpret_cast<unsigned char*>(expanded_.data());
  bool done = false;
  if (expand_ == Expand::kShake128) {
    done = EVP_DigestInit_ex2(shake_context_.get(), shake_.get(), nullptr) == 1 &&
           EVP_DigestUpdate(shake_context_.get(), object.data(), object.size()) == 1 &&
           EVP_DigestFinalXOF(shake_context_.get(), out, sizeof expanded_) == 1;
  } else {
    static constexpr unsigned char kNonce[16] = {};
    expanded_.fill(0);
    const crypto::Digest key = digester_.digest(object);
    int written = 0;
    done = EVP_EncryptInit_ex2(chacha_context_.get(), chacha_.get(), key.bytes.data(), kNonce,
                               nullptr) == 1 &&
           EVP_EncryptUpdate(chacha_context_.get(), out, &written, out, sizeof expanded_) == 1;
  }
  EVE_CHECK(done, "OpenSSL failed");
}

void LtHash::insert(ByteView object) {
  expand(object);
  for (size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] = static_cast<uint16_t>(sum_[i] + expanded_[i]);
  }
}

void LtHash::replace(ByteView before, ByteView after) {
  expand(before);
  for (size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] = static_cast<uint16_t>(sum_[i] - expanded_[i]);
  }
  insert(after);
}

crypto::Digest LtHash::token() const {
  return digester_.digest({reinterpret_cast<const char*>(sum_.data()), sizeof sum_});
}

}  // namespace eve::bench
