// Ed25519 for every address, from keys that are a function of the seed: a run with real signatures
// replays as well.
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/keys.h"
#include "sim/post.h"

namespace eve::sim {

class RealKeys {
 public:
  RealKeys(uint64_t seed, const Roster& roster);
  /// This must outlive it.
  std::unique_ptr<crypto::Authenticator> authenticator(Address address) const;

 private:
  crypto::SigningKey key_of(Address address) const;

  uint64_t seed_;
  crypto::KeyDirectory directory_;
};

}  // namespace eve::sim
