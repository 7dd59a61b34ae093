// Counters that requests read and then write, with footprints that say nothing of it: replicas lose
// different updates and diverge. What Eve promises is that they agree nevertheless.
#pragma once

#include "sim/workload.h"

namespace eve::sim {

class Racing final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return false; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// Each request ran once; a counter is never above the number of increments.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;

 private:
  int64_t increments_ = 0;
};

}  // namespace eve::sim
