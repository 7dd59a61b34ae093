#include "crypto/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/check.h"
#include "crypto/ed25519.h"

namespace eve::crypto {

namespace {

constexpr long kVersion3 = 2;
/// Pinned keys do not expire; RFC 5280 (4.1.2.5) has this date for "no end".
constexpr const char* kNotBefore = "20000101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";

/// Positive, at most 8 bytes, different for different keys: tools tell certificates of one name
/// apart by it.
uint64_t serial_of(const PublicKey& key) {
  uint64_t serial = 0;
  for (size_t i = 0; i < sizeof serial; ++i) serial = serial << 8 | key[i];
  return (serial >> 1) + 1;
}

bool set_name(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text,
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

}  // namespace

std::string self_signed_certificate(EVP_PKEY* key, const PublicKey& public_key,
                                    const std::string& common_name) {
  const std::unique_ptr<X509, FreeWith<X509_free>> certificate(X509_new());
  X509* x509 = certificate.get();
  const bool made =
      x509 != nullptr && X509_set_version(x509, kVersion3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial_of(public_key)) == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), kNotBefore) == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), kNotAfter) == 1 &&
      set_name(x509, common_name) && X509_set_pubkey(x509, key) == 1 &&
      X509_sign(x509, key, nullptr) > 0;
  EVE_CHECK(made, "certificate not made: a common name is 1 to 64 characters of UTF-8");

  const std::unique_ptr<BIO, FreeWith<BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  EVE_CHECK(bio && PEM_write_bio_X509(bio.get(), x509) == 1, "certificate not written");
  return read_all(bio.get());
}

std::string read_all(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace eve::crypto
