// Where a role of this node sits in an epoch, and with what it begins there (docs/membership.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"

namespace eve::runtime {

/// A value.
struct Seating {
  Epoch epoch;
  std::optional<uint16_t> seat;  ///< none: another node has taken it, or it has yet to come
  bool comes = false;            ///< it has never had one (M14)
  BatchNumber start;             ///< everything up to here is of earlier epochs
  crypto::Digest token;          ///< of `start`
  /// Executors beyond the model's that may be asked for state: who has just left (M10).
  uint16_t helpers = 0;
  /// Signs and verifies as this epoch's seats.
  std::shared_ptr<const crypto::Authenticator> keys;
};

}  // namespace eve::runtime
