// Counters, and requests that write to one and then always throw: every batch with one of them is
// undone and run again in order.
#pragma once

#include "sim/workload.h"

namespace eve::sim {

class Throwing final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return true; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// Throwers get the fixed error, others ran once; no counter counts a thrower.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;

 private:
  int64_t increments_ = 0;
};

}  // namespace eve::sim
