// What a seed means: which cluster, which service, which faults. Each seed draws its own classes of
// faults (swarm testing): a run with everything switched on hides what a run with one thing shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/quorum.h"
#include "sim/byzantine_plan.h"

namespace eve::sim {

/// What the command line fixes; the rest is the seed's.
struct Options {
  FaultModel model{1, 1};
  /// "bank", "racing" or "kv"; empty: the seed chooses.
  std::string service;
  TimeUs duration_us = 5'000'000;
  bool trace = false;
  ByzantineOptions byzantine;
};

struct NetworkPlan {
  TimeUs least_delay_us = 100;  ///< each link draws its usual delay between these two
  TimeUs most_delay_us = 2000;
  uint32_t tail_per_mille = 0;  ///< messages that take up to 50 times as long
  uint32_t loss_per_mille = 0;
  uint32_t duplicate_per_mille = 0;
  bool reorder = false;  ///< messages of a link may overtake each other
};

/// Mean times between faults; 0: never.
struct FaultPlan {
  TimeUs partition_every_us = 0;
  TimeUs partition_us = 0;  ///< mean length
  TimeUs executor_crash_every_us = 0;
  TimeUs verifier_crash_every_us = 0;
  TimeUs down_us = 0;         ///< mean time until a crashed node restarts
  TimeUs pause_every_us = 0;  ///< a node stands still, and then gets everything at once
  TimeUs pause_us = 0;
};

struct Plan {
  uint64_t seed = 0;
  FaultModel model{1, 1};
  std::string service;
  uint32_t clients = 1;
  uint32_t requests = 0;  ///< of all clients together
  uint32_t burst = 1;     ///< requests submitted at once, at most
  size_t max_bundles = 4;
  TimeUs duration_us = 0;  ///< of the run, but for what comes to rest after it
  TimeUs load_us = 0;      ///< while requests are made
  TimeUs faults_until_us = 0;
  uint64_t switch_every = 4;    ///< accesses between two switches of fibers, on average
  TimeUs clock_offset_us = 0;   ///< clocks differ by at most this
  TimeUs request_cost_us = 20;  ///< running one request takes about this long
  NetworkPlan network;
  FaultPlan faults;
  ByzantinePlan byzantine;
};

/// A function of its arguments.
Plan make_plan(uint64_t seed, const Options& options);

/// One line for a person: what is switched on.
std::string describe(const Plan& plan);

}  // namespace eve::sim
