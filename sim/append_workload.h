// Transactions that append to lists and read whole lists, several keys at a time, with right
// footprints; the history must be strictly serializable.
#pragma once

#include "sim/append_history.h"
#include "sim/workload.h"

namespace eve::sim {

class AppendWorkload final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return true; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  /// Appends to a list of its own, and reads it.
  Bytes rogue_request(uint16_t client, uint64_t number, Random& random) override;
  /// As many lists as the request reads.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;
  void saw(const Seen& seen) override;
  void check_history() const override { history_.check(); }

 private:
  AppendHistory history_;
};

}  // namespace eve::sim
