// Invariant 9: what is executed, its client has signed. Knows what clients sent, byte for byte.
#pragma once

#include <set>

#include "crypto/digest.h"
#include "sim/conduct.h"
#include "sim/ledger.h"

namespace eve::sim {

class AuthenticityChecker final : public Conduct {
 public:
  /// Both outlive this.
  AuthenticityChecker(const Ledger& ledger, const crypto::Digester& digester)
      : ledger_(ledger), digester_(digester) {}

  /// This client's requests may be anything.
  void ignore(uint16_t client) { ignored_.insert(client); }
  /// Takes in what was committed since the last call.
  void follow();

 private:
  void heard(Address from, const wire::Message& message) override;

  const Ledger& ledger_;
  const crypto::Digester& digester_;
  std::set<uint64_t> made_;  ///< hashes of bundles
  std::set<uint16_t> ignored_;
  BatchNumber seen_;
};

}  // namespace eve::sim
