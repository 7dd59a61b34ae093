// A service with hidden nondeterminism: now and then a reply depends on something that is no
// replicated state, as a hash table's order or an object's address would be. No way of running a
// batch helps; what Eve promises is that replicas agree nevertheless, and go on.
#pragma once

#include <set>
#include <utility>

#include "sim/workload.h"

namespace eve::sim {

class Moody final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return false; }
  bool deterministic() const override { return false; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// Each request ran once.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;
  /// Two replicas quarantine a request at once when it differs in order as well; that is rare.
  void between_two() override { most_quarantined_ = 2; }
  void quarantined(uint16_t client, uint64_t number, uint64_t end) override;

 private:
  std::set<std::pair<uint16_t, uint64_t>> quarantined_;  ///< bundles: their client, and end
  size_t most_quarantined_ = 0;
};

}  // namespace eve::sim
