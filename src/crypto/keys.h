// Ed25519 node identities (OpenSSL): key generation, PEM files, and the Authenticator over them.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "base/ids.h"
#include "crypto/authenticator.h"
#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::crypto {

using PublicKey = std::array<uint8_t, 32>;

std::string to_hex(const PublicKey& key);
Result<PublicKey> public_key_from_hex(ByteView hex);

/// An Ed25519 private key. Movable; thread-safe for signing.
class SigningKey {
 public:
  static SigningKey generate();
  /// PKCS#8 PEM.
  static Result<SigningKey> from_pem(ByteView pem);
  std::string to_pem() const;

  PublicKey public_key() const;
  /// 64 bytes.
  Bytes sign(ByteView bytes) const;

  /// A self-signed X.509 certificate (PEM) over this key, for TLS; peers pin the key, not an
  /// issuer. `common_name`: 1 to 64 characters, for people.
  std::string self_signed_certificate_pem(const std::string& common_name) const;

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Every role's public key.
using KeyDirectory = std::map<Address, PublicKey>;

/// Ed25519 over "eve-v1", the cluster's id, the domain and the bytes: a signature of one cluster or
/// purpose is none of another. Thread-safe.
class Ed25519Authenticator final : public Authenticator {
 public:
  Ed25519Authenticator(std::string cluster_id, SigningKey key, const KeyDirectory& directory);
  ~Ed25519Authenticator() override;
  Bytes sign(Domain domain, ByteView bytes) const override;
  bool verify(Address signer, Domain domain, ByteView bytes, ByteView signature) const override;

  /// From now on that is the role's key: of one that was not known before, or is another one now.
  void set(Address address, const PublicKey& public_key);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::crypto
