// Signatures that cost a hash: nobody in the simulator computes another node's, because nobody is
// given its key but the verifying side, which is honest code.
#pragma once

#include <cstdint>

#include "crypto/authenticator.h"
#include "crypto/digest.h"

namespace eve::sim {

class LightAuthenticator final : public crypto::Authenticator {
 public:
  /// `digester` is keyed by the cluster's secret and outlives this.
  LightAuthenticator(Address self, const crypto::Digester& digester)
      : self_(self), digester_(digester) {}
  Bytes sign(crypto::Domain domain, ByteView bytes) const override;
  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override;

 private:
  Address self_;
  const crypto::Digester& digester_;
};

}  // namespace eve::sim
