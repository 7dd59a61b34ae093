// Signatures shown to third parties (DESIGN 6.7): client bundles, PREPARE, VIEW-CHANGE, NEW-VIEW,
// FAREWELL.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "eve/bytes.h"

namespace eve::crypto {

/// What is signed: part of the signed bytes, so that no signature serves for another purpose.
enum class Domain : uint8_t {
  kBundle = 1,
  kPrepare = 2,
  kViewChange = 3,
  kNewView = 4,
  kFarewell = 5
};

/// Signs as this node and verifies others. Implementations: Ed25519 (r >= 1), none (r = 0: links
/// are trusted, signatures are empty), and a light one in the simulator. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Bytes sign(Domain domain, ByteView bytes) const = 0;
  virtual bool verify(Address signer, Domain domain, ByteView bytes, ByteView signature) const = 0;
};

/// For r = 0: signs with nothing and accepts nothing else than nothing.
class NoAuthenticator final : public Authenticator {
 public:
  Bytes sign(Domain, ByteView) const override { return {}; }
  bool verify(Address, Domain, ByteView, ByteView signature) const override {
    return signature.empty();
  }
};

}  // namespace eve::crypto
