#include "sim/light_authenticator.h"

#include "eve/codec.h"

namespace eve::sim {
namespace {

Bytes signature_of(const crypto::Digester& digester, Address signer, crypto::Domain domain,
                   ByteView bytes) {
  Bytes named;
  Codec<crypto::Domain>::encode(domain, named);
  Codec<Role>::encode(signer.role, named);
  Codec<uint16_t>::encode(signer.index, named);
  Codec<uint64_t>::encode(digester.keyed_hash(bytes), named);
  Bytes signature;
  Codec<uint64_t>::encode(digester.keyed_hash(named), signature);
  return signature;
}

}  // namespace

Bytes LightAuthenticator::sign(crypto::Domain domain, ByteView bytes) const {
  return signature_of(digester_, self_, domain, bytes);
}

bool LightAuthenticator::verify(Address signer, crypto::Domain domain, ByteView bytes,
                                ByteView signature) const {
  return signature == signature_of(digester_, signer, domain, bytes);
}

}  // namespace eve::sim
