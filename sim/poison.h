// Counters, and three kinds of trouble: requests on which replicas never agree, because they read a
// random source of their own; requests that do so only while others run beside them; requests that
// always throw. The first kind must end quarantined, with what travelled in the same bundle, unless
// a liar repeats what one of them came to; all others must be answered as if nothing had been.
#pragma once

#include <memory>
#include <set>
#include <utility>

#include "sim/workload.h"

namespace eve::sim {

class Poison final : public Workload {
 public:
  execution::MakeService service() const override;
  /// What is committed was agreed, and then it is what running in order gives; unless a liar agreed
  /// with the only one that came to it.
  bool right_footprints() const override { return true; }
  bool deterministic() const override { return false; }
  void expect_liars() override { liars_ = true; }
  bool unforeseeable(ByteView request) const override;
  Bytes request(uint16_t client, uint64_t number, Random& random) override;
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;
  void quarantined(uint16_t client, uint64_t number, uint64_t end) override;

 private:
  using Name = std::pair<uint16_t, uint64_t>;  ///< client and number
  /// So far: each has a random source of its own.
  std::shared_ptr<uint64_t> replicas_ = std::make_shared<uint64_t>(0);
  std::set<Name> poisonous_;
  bool liars_ = false;
  std::set<Name> excused_;  ///< ends of bundles that carry a poisonous request
};

}  // namespace eve::sim
