// OpenSSL's Ed25519 keys behind two functions. Of use inside this room only.
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "eve/bytes.h"

namespace eve::crypto {

inline constexpr size_t kEd25519SignatureBytes = 64;

/// Calls an OpenSSL free function: std::unique_ptr<X509, FreeWith<X509_free>>.
template <auto free_function>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

/// An immutable key, private or public; usable from several threads at once.
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

/// 64 bytes. Precondition: `key` is a private Ed25519 key.
Bytes ed25519_sign(EVP_PKEY* key, ByteView bytes);

/// False for anything that is not exactly a signature of `bytes`.
bool ed25519_verify(EVP_PKEY* key, ByteView bytes, ByteView signature);

}  // namespace eve::crypto
