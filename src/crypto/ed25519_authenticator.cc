#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "crypto/ed25519.h"
#include "crypto/keys.h"
#include "eve/codec.h"

namespace eve::crypto {

namespace {

Key key_from_public(const PublicKey& bytes) {
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
  EVE_CHECK(key, "OpenSSL takes no Ed25519 public key");
  return key;
}

}  // namespace

struct Ed25519Authenticator::Impl {
  Bytes prefix;  ///< "eve-v1", and the cluster's id with its length, which keeps it apart
  SigningKey key;
  std::shared_mutex mutex;
  std::unordered_map<Address, Key> peers;  ///< guarded by mutex

  Impl(Bytes own_prefix, SigningKey own_key)
      : prefix(std::move(own_prefix)), key(std::move(own_key)) {}

  Bytes message(Domain domain, ByteView bytes) const {
    Bytes message;
    message.reserve(prefix.size() + 1 + bytes.size());
    message.append(prefix);
    Codec<Domain>::encode(domain, message);
    message.append(bytes);
    return message;
  }
};

Ed25519Authenticator::Ed25519Authenticator(std::string cluster_id, SigningKey key,
                                           const KeyDirectory& directory) {
  Bytes prefix = "eve-v1";
  Codec<uint32_t>::encode(static_cast<uint32_t>(cluster_id.size()), prefix);
  prefix.append(cluster_id);
  impl_ = std::make_unique<Impl>(std::move(prefix), std::move(key));
  for (const auto& [address, public_key] : directory) set(address, public_key);
}

void Ed25519Authenticator::set(Address address, const PublicKey& public_key) {
  auto key = key_from_public(public_key);
  std::unique_lock lock(impl_->mutex);
  impl_->peers.insert_or_assign(address, std::move(key));
}

Ed25519Authenticator::~Ed25519Authenticator() = default;

Bytes Ed25519Authenticator::sign(Domain domain, ByteView bytes) const {
  return impl_->key.sign(impl_->message(domain, bytes));
}

bool Ed25519Authenticator::verify(Address signer, Domain domain, ByteView bytes,
                                  ByteView signature) const {
  // Held while it is used: set() may free a key that it replaces.
  std::shared_lock lock(impl_->mutex);
  const auto peer = impl_->peers.find(signer);
  if (peer == impl_->peers.end()) return false;
  return ed25519_verify(peer->second.get(), impl_->message(domain, bytes), signature);
}

}  // namespace eve::crypto
