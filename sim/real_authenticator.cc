#include "sim/real_authenticator.h"

#include <openssl/evp.h>

#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "eve/codec.h"

namespace eve::sim {
namespace {

/// A PKCS#8 private key of Ed25519 is this and 32 bytes (RFC 8410).
constexpr char kPkcs8[] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
constexpr size_t kSecretBytes = 32;

std::string base64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace

/// Signs and checks as Ed25519 does, but nothing is checked twice in one cluster.
class RealKeys::Authenticator final : public crypto::Authenticator {
 public:
  Authenticator(crypto::SigningKey key, const crypto::KeyDirectory& directory, Checked& checked)
      : ed25519_("simulated", std::move(key), directory), checked_(checked) {}

  Bytes sign(crypto::Domain domain, ByteView bytes) const override {
    return ed25519_.sign(domain, bytes);
  }

  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override {
    Bytes question;
    question.reserve(bytes.size() + signature.size() + 16);
    Codec<Role>::encode(signer.role, question);
    Codec<uint16_t>::encode(signer.index, question);
    Codec<crypto::Domain>::encode(domain, question);
    Codec<uint64_t>::encode(signature.size(), question);
    question.append(signature).append(bytes);
    const auto [answer, first] = checked_.try_emplace(std::move(question));
    if (first) answer->second = ed25519_.verify(signer, domain, bytes, signature);
    return answer->second;
  }

 private:
  crypto::Ed25519Authenticator ed25519_;
  Checked& checked_;
};

RealKeys::RealKeys(uint64_t seed, const Roster& roster) : seed_(seed) {
  for (const Address address : roster.addresses()) {
    directory_.emplace(address, key_of(address).public_key());
  }
}

crypto::SigningKey RealKeys::key_of(Address address) const {
  const uint64_t place = (static_cast<uint64_t>(address.role) << 16) | address.index;
  Random random(seed_ ^ (place << 32));
  Bytes bytes(kPkcs8, sizeof kPkcs8 - 1);
  for (size_t i = 0; i < kSecretBytes; ++i) bytes.push_back(static_cast<char>(random.next()));
  auto key = crypto::SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\n" + base64(bytes) +
                                          "\n-----END PRIVATE KEY-----\n");
  EVE_CHECK(key.ok(), "any 32 bytes are an Ed25519 key");
  return std::move(key).value();
}

std::unique_ptr<crypto::Authenticator> RealKeys::authenticator(Address address) const {
  return std::make_unique<Authenticator>(key_of(address), directory_, checked_);
}

}  // namespace eve::sim
