// Ed25519 for every address, from keys that are a function of the seed: a run with real signatures
// replays as well. What is checked by several nodes is computed once: checking is a function.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "crypto/keys.h"
#include "sim/post.h"

namespace eve::sim {

class RealKeys {
 public:
  RealKeys(uint64_t seed, const Roster& roster);
  /// This must outlive it. All of them belong to the thread of this.
  std::unique_ptr<crypto::Authenticator> authenticator(Address address) const;

 private:
  /// What was checked, byte for byte, and whether it was right.
  using Checked = std::unordered_map<Bytes, bool>;
  class Authenticator;
  crypto::SigningKey key_of(Address address) const;

  uint64_t seed_;
  crypto::KeyDirectory directory_;
  mutable Checked checked_;
};

}  // namespace eve::sim
