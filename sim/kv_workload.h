// The KV server's replicated half, with the requests that its front end would make.
#pragma once

#include <map>

#include "sim/register_history.h"
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
  void saw(const Seen& seen) override;
  void check_history() const override { registers_.check(); }

 private:
  RegisterHistory registers_;
  /// A client's increments of its own counter.
  struct Own {
    uint64_t increments = 0;  ///< answered
    uint64_t unknown = 0;     ///< of a lost session
  };
  std::map<uint16_t, Own> own_;
};

}  // namespace eve::sim
