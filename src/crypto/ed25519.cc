#include "crypto/ed25519.h"

#include <openssl/err.h>

#include "base/check.h"

namespace eve::crypto {

namespace {

using Context = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

const unsigned char* data_of(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Bytes ed25519_sign(EVP_PKEY* key, ByteView bytes) {
  Bytes signature(kEd25519SignatureBytes, '\0');
  size_t size = signature.size();
  const Context context(EVP_MD_CTX_new());
  const bool signed_it =
      context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     data_of(bytes), bytes.size()) == 1;
  EVE_CHECK(signed_it && size == kEd25519SignatureBytes, "Ed25519 does not sign");
  return signature;
}

bool ed25519_verify(EVP_PKEY* key, ByteView bytes, ByteView signature) {
  if (signature.size() != kEd25519SignatureBytes) return false;
  const Context context(EVP_MD_CTX_new());
  EVE_CHECK(context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1,
            "Ed25519 does not verify");
  const bool valid = EVP_DigestVerify(context.get(), data_of(signature), signature.size(),
                                      data_of(bytes), bytes.size()) == 1;
  // A refused signature leaves an entry on the thread's error queue, where TLS would find it.
  if (!valid) ERR_clear_error();
  return valid;
}

}  // namespace eve::crypto
