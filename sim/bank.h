// Transfers between accounts, notes that come and go, audits that read everything. Footprints are
// right; a transfer beyond the balance throws after it has taken the money.
#pragma once

#include "sim/workload.h"

namespace eve::sim {

class Bank final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return true; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// Each request ran once; the sum of all accounts never changes.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;
};

}  // namespace eve::sim
