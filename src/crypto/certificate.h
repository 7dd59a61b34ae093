// X.509, as far as TLS between nodes needs it. Of use inside this room only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>

#include <string>

#include "crypto/keys.h"

namespace eve::crypto {

/// A certificate (PEM) for `key`, signed by it. Peers pin the public key: name, serial number and
/// dates are for people and tools. A function of its arguments: no clock, nothing drawn.
std::string self_signed_certificate(EVP_PKEY* key, const PublicKey& public_key,
                                    const std::string& common_name);

/// All that was written to a memory BIO.
std::string read_all(BIO* bio);

}  // namespace eve::crypto
