// When messages arrive, if they do: delays with long tails, loss, duplication, reordering,
// partitions. Knows nodes by number only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "sim/plan.h"

namespace eve::sim {

class Network {
 public:
  Network(const NetworkPlan& plan, size_t nodes, uint64_t seed);

  struct Delivery {
    size_t copies = 0;  ///< 0: lost; 2: duplicated
    TimeUs at[2] = {0, 0};
  };
  /// What becomes of a message sent now.
  Delivery send(size_t from, size_t to, TimeUs now);

  /// Nodes whose flag is set are cut off from those whose flag is not. Messages on their way
  /// arrive.
  void partition(std::vector<bool> apart) { apart_ = std::move(apart); }
  void heal() { apart_.assign(apart_.size(), false); }
  /// From now on every message arrives, once, in time.
  void calm();

  struct Counts {
    uint64_t lost = 0;
    uint64_t duplicated = 0;
    uint64_t cut = 0;
    uint64_t late = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Link {
    TimeUs usual_us = 0;
    TimeUs last_arrival = 0;
  };
  TimeUs arrival(Link& link, TimeUs now);

  NetworkPlan plan_;
  size_t nodes_;
  Random random_;
  std::vector<Link> links_;
  std::vector<bool> apart_;
  Counts counts_;
};

}  // namespace eve::sim
