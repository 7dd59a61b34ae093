#include "crypto/keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "crypto/certificate.h"
#include "crypto/ed25519.h"
#include "crypto/hex.h"

namespace eve::crypto {

namespace {

/// Gives no password: without it OpenSSL would ask on the terminal for that of an encrypted key.
int no_password(char* /*out*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return -1;
}

}  // namespace

std::string to_hex(const PublicKey& key) {
  return to_hex(ByteView(reinterpret_cast<const char*>(key.data()), key.size()));
}

Result<PublicKey> public_key_from_hex(ByteView hex) {
  const auto bytes = from_hex(hex);
  PublicKey key;
  if (!bytes || bytes->size() != key.size()) {
    return Error{"a public key is 64 hexadecimal digits; copy it from the output of `eve init`"};
  }
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return key;
}

struct SigningKey::Impl {
  Key key;
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::generate() {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EVE_CHECK(impl->key, "OpenSSL makes no Ed25519 key");
  return SigningKey(std::move(impl));
}

Result<SigningKey> SigningKey::from_pem(ByteView pem) {
  auto impl = std::make_unique<Impl>();
  const std::unique_ptr<BIO, FreeWith<BIO_free_all>> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVE_CHECK(bio, "out of memory");
  impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!impl->key || EVP_PKEY_get_base_id(impl->key.get()) != EVP_PKEY_ED25519) {
    return Error{"not an unencrypted Ed25519 private key in PEM; use one that `eve init` wrote"};
  }
  return SigningKey(std::move(impl));
}

std::string SigningKey::to_pem() const {
  const std::unique_ptr<BIO, FreeWith<BIO_free_all>> bio(BIO_new(BIO_s_secmem()));
  EVE_CHECK(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0,
                                                 nullptr, nullptr) == 1,
            "key not written");
  return read_all(bio.get());
}

PublicKey SigningKey::public_key() const {
  PublicKey key;
  size_t size = key.size();
  EVE_CHECK(
      EVP_PKEY_get_raw_public_key(impl_->key.get(), key.data(), &size) == 1 && size == key.size(),
      "an Ed25519 public key is 32 bytes");
  return key;
}

Bytes SigningKey::sign(ByteView bytes) const {
  return ed25519_sign(impl_->key.get(), bytes);
}

std::string SigningKey::self_signed_certificate_pem(const std::string& common_name) const {
  return self_signed_certificate(impl_->key.get(), public_key(), common_name);
}

}  // namespace eve::crypto
