// libFuzzer: key files and public keys in hexadecimal. What is accepted is a key that signs what
// its public half verifies, and is written as it was read.
#include <cstdint>

#include "base/check.h"
#include "crypto/keys.h"

namespace eve::crypto {
namespace {

void check(SigningKey key) {
  const KeyDirectory directory{{Address::executor(0), key.public_key()}};
  auto again = SigningKey::from_pem(key.to_pem());
  EVE_CHECK(again.ok() && again->public_key() == key.public_key(), "another key");
  const Ed25519Authenticator authenticator("cluster", std::move(key), directory);
  const Bytes signature = authenticator.sign(Domain::kPrepare, "words");
  EVE_CHECK(authenticator.verify(Address::executor(0), Domain::kPrepare, "words", signature),
            "a key that does not fit itself");
}

}  // namespace
}  // namespace eve::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve;
  using namespace eve::crypto;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  auto key = SigningKey::from_pem(bytes);
  if (key.ok()) check(std::move(*key));
  auto half = public_key_from_hex(bytes);
  if (!half.ok()) return 0;
  auto again = public_key_from_hex(to_hex(*half));
  EVE_CHECK(again.ok() && *again == *half, "another public key");
  const Ed25519Authenticator other("cluster", SigningKey::generate(),
                                   {{Address::executor(0), *half}});
  EVE_CHECK(!other.verify(Address::executor(0), Domain::kPrepare, "words", bytes.substr(0, 64)),
            "nobody signed that");
  return 0;
}
