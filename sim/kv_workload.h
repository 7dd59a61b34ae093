// The KV server's replicated half, with the requests that its front end would make.
#pragma once

#include <map>

#include "sim/workload.h"

namespace eve::sim {

class KvWorkload final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return true; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// A client's own counter counts its own increments: each ran once, in order.
  Bytes rogue_request(uint16_t client, uint64_t number, Random& random) override;
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;

 private:
  std::map<uint16_t, uint64_t> own_increments_;
};

}  // namespace eve::sim
