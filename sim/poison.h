// Counters, and three kinds of trouble: requests on which replicas never agree, because they read a
// random source of their own; requests that do so only while others run beside them; requests that
// always throw. The first kind must end quarantined, with what travelled in the same bundle; all
// others must be answered as if nothing had been.
#pragma once

#include <memory>
#include <set>
#include <utility>

#include "sim/workload.h"

namespace eve::sim {

class Poison final : public Workload {
 public:
  execution::MakeService service() const override;
  /// What is committed was agreed on by two that computed it, unless one copied: then it is what
  /// running in order gives.
  bool right_footprints() const override { return !copied_; }
  bool deterministic() const override { return false; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;
  void quarantined(uint16_t client, uint64_t number, uint64_t end) override;
  void somebody_copies() override { copied_ = true; }

 private:
  using Name = std::pair<uint16_t, uint64_t>;  ///< client and number
  /// So far: each has a random source of its own.
  std::shared_ptr<uint64_t> replicas_ = std::make_shared<uint64_t>(0);
  bool copied_ = false;
  std::set<Name> poisonous_;
  std::set<Name> excused_;  ///< ends of bundles that carry a poisonous request
};

}  // namespace eve::sim
