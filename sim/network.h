// When messages arrive, if they do: delays with long tails, loss, duplication, old messages again,
// reordering, links that are slow, clogged or cut. Knows nodes by number only.
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
    size_t copies = 0;  ///< 0: lost; more than 1: duplicated, or to come again much later
    TimeUs at[3] = {0, 0, 0};
  };
  /// What becomes of a message of `bytes` bytes sent now.
  Delivery send(size_t from, size_t to, size_t bytes, TimeUs now);

  /// Links whose flag is set carry nothing: [from * nodes + to]. What is on its way arrives.
  void cut(std::vector<bool> links) { cut_ = std::move(links); }
  void heal() { cut_.assign(cut_.size(), false); }
  /// What is sent over this link arrives after `until`.
  void clog(size_t from, size_t to, TimeUs until) { link(from, to).clogged_until = until; }
  /// From now on every message arrives, once, in time.
  void calm();

  struct Counts {
    uint64_t lost = 0;
    uint64_t duplicated = 0;
    uint64_t replayed = 0;
    uint64_t cut = 0;
    uint64_t late = 0;
    uint64_t overtaken = 0;
    uint64_t slowed = 0;  ///< waited for the bytes before it
    uint64_t clogged = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Link {
    TimeUs usual_us = 0;
    TimeUs last_arrival = 0;
    TimeUs free_at = 0;  ///< the bytes sent so far have left by then
    TimeUs clogged_until = 0;
  };
  Link& link(size_t from, size_t to) { return links_[from * nodes_ + to]; }
  TimeUs arrival(Link& link, size_t bytes, TimeUs now);
  TimeUs departure(Link& link, size_t bytes, TimeUs now);

  NetworkPlan plan_;
  size_t nodes_;
  Random random_;
  std::vector<Link> links_;
  std::vector<bool> cut_;
  Counts counts_;
};

}  // namespace eve::sim
