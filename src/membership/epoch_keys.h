// Signatures within an epoch (docs/membership.md, M8): signers are seats, and what verifiers sign
// covers the epoch, from the second on. Clients' bundles belong to no epoch.
#pragma once

#include <utility>

#include "crypto/authenticator.h"
#include "eve/codec.h"
#include "membership/members.h"

namespace eve::membership {

class EpochKeys final : public crypto::Authenticator {
 public:
  /// `nodes` knows nodes by their addresses for ever, and outlives this.
  EpochKeys(const crypto::Authenticator& nodes, Members members)
      : nodes_(nodes), members_(std::move(members)) {}

  Bytes sign(crypto::Domain domain, ByteView bytes) const override {
    return nodes_.sign(domain, within(domain, bytes));
  }
  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override {
    if (signer.role == Role::kExecutor && signer.index >= members_.executors.size()) return false;
    if (signer.role == Role::kVerifier && signer.index >= members_.verifiers.size()) return false;
    return nodes_.verify(members_.node_at(signer), domain, within(domain, bytes), signature);
  }

 private:
  Bytes within(crypto::Domain domain, ByteView bytes) const {
    Bytes all;
    if (domain != crypto::Domain::kBundle && members_.epoch != Epoch()) {
      Codec<uint32_t>::encode(members_.epoch.value(), all);
    }
    all.append(bytes);
    return all;
  }

  const crypto::Authenticator& nodes_;
  Members members_;
};

}  // namespace eve::membership
