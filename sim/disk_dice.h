// Whether a disk's fault happens now: a stream of its own for each, so that another fault more or
// less in the plan leaves it where it was.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "sim/disk_plan.h"

namespace eve::sim {

class DiskDice {
 public:
  DiskDice(const DiskPlan& plan, uint64_t seed) : plan_(plan) {
    Random seeds(seed);
    for (size_t i = 0; i < DiskPlan::kFaults; ++i) streams_.emplace_back(seeds.next());
  }

  /// To be asked each time that `fault` could happen.
  bool strikes(DiskFault fault) {
    const size_t i = static_cast<size_t>(fault);
    const bool drawn = streams_[i].chance(plan_.per_million[i], 1'000'000);
    const bool forced = forced_[i] != 0 && --forced_[i] == 0;
    if (drawn || forced) ++counts_[i];
    return drawn || forced;
  }
  /// `fault` happens at its `chance`-th chance from now, whatever the plan says; 1 is the next.
  void force(DiskFault fault, uint64_t chance) { forced_[static_cast<size_t>(fault)] = chance; }
  bool possible(DiskFault fault) const {
    return plan_[fault] != 0 || forced_[static_cast<size_t>(fault)] != 0;
  }
  void calm() {
    plan_.per_million = {};
    forced_ = {};
  }

  /// For what is left to chance when `fault` happens.
  Random& of(DiskFault fault) { return streams_[static_cast<size_t>(fault)]; }
  uint64_t count(DiskFault fault) const { return counts_[static_cast<size_t>(fault)]; }
  const DiskPlan& plan() const { return plan_; }

 private:
  DiskPlan plan_;
  std::vector<Random> streams_;
  std::array<uint64_t, DiskPlan::kFaults> forced_{};
  std::array<uint64_t, DiskPlan::kFaults> counts_{};
};

}  // namespace eve::sim
