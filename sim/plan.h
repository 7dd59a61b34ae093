// What a seed means: which cluster, which service, which faults. Each seed draws its own classes of
// faults (swarm testing): a run with everything switched on hides what a run with one thing shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/quorum.h"
#include "sim/byzantine_plan.h"
#include "sim/storage_plan.h"

namespace eve::sim {

/// What the command line fixes; the rest is the seed's.
struct Options {
  FaultModel model{1, 1};
  bool arbiter = false;  ///< of primary-backup
  bool members = false;  ///< nodes are replaced
  /// A name that make_workload() knows; empty: the seed chooses.
  std::string service;
  TimeUs duration_us = 5'000'000;
  ByzantineOptions byzantine;
  StorageChoice storage = StorageChoice::kAny;
};

struct NetworkPlan {
  TimeUs least_delay_us = 100;  ///< each link draws its usual delay between these two
  TimeUs most_delay_us = 2000;
  uint32_t tail_per_mille = 0;  ///< messages that take up to 50 times as long
  uint32_t loss_per_mille = 0;
  uint32_t duplicate_per_mille = 0;
  uint32_t replay_per_mille = 0;  ///< messages that come again up to two seconds later
  bool reorder = false;           ///< messages of a link may overtake each other
  uint64_t bytes_per_ms = 0;      ///< what a link carries; 0: any amount
};

/// Mean times between faults; 0: never.
struct FaultPlan {
  TimeUs partition_every_us = 0;
  TimeUs partition_us = 0;  ///< mean length
  TimeUs executor_crash_every_us = 0;
  TimeUs verifier_crash_every_us = 0;
  TimeUs clog_every_us = 0;  ///< a link delivers what it is given only after a while
  TimeUs clog_us = 0;
  TimeUs down_us = 0;           ///< mean time until a crashed node restarts
  uint32_t loop_per_mille = 0;  ///< restarted nodes that crash again before they have recovered
  TimeUs pause_every_us = 0;    ///< a node stands still, and then gets everything at once
  TimeUs pause_us = 0;
  bool sleeper = false;          ///< once: an executor sleeps for a part of the load
  TimeUs long_pause_us = 0;      ///< once: one node stands still for so long
  TimeUs blackout_every_us = 0;  ///< everybody stands still, as many as allowed lose their memory
  TimeUs blackout_us = 0;
  bool slow_executor = false;  ///< one of them is ten times slower
  bool slow_verifier = false;
  bool too_many = false;  ///< any number may crash: only safety is promised
};

/// Nodes whose clocks are wrong by less than the skew allowed are correct; one beyond it is faulty.
struct ClockPlan {
  TimeUs offset_us = 0;      ///< clocks differ by at most this from the beginning
  int64_t drift_ppm = 0;     ///< and gain or lose at most so much
  TimeUs step_every_us = 0;  ///< one is set ahead or back
  TimeUs step_us = 0;        ///< by at most this
  bool beyond_skew = false;  ///< the last executor's is hours ahead
};

struct Plan {
  uint64_t seed = 0;
  FaultModel model{1, 1};
  bool arbiter = false;  ///< of primary-backup
  bool members = false;  ///< nodes are replaced
  std::string service;
  uint32_t clients = 1;
  uint32_t requests = 0;  ///< of all clients together
  uint32_t burst = 1;     ///< requests submitted at once, at most
  size_t max_bundles = 4;
  TimeUs duration_us = 0;  ///< of the run, but for what comes to rest after it
  TimeUs load_us = 0;      ///< while requests are made
  TimeUs faults_until_us = 0;
  uint64_t switch_every = 4;    ///< accesses between two switches of fibers, on average
  TimeUs sleep_us = 0;          ///< halfway, clients make no requests for so long
  bool mixed_patience = false;  ///< each node has its own timeouts
  bool real_signatures = false;
  TimeUs request_cost_us = 20;  ///< running one request takes about this long
  NetworkPlan network;
  ClockPlan clocks;
  FaultPlan faults;
  ByzantinePlan byzantine;
  StoragePlan storage;

  /// What of duration_us was added for long sleeps.
  TimeUs slept_us() const { return sleep_us + faults.long_pause_us; }
  /// After the faults everything works again.
  bool promises_liveness() const { return !faults.too_many && byzantine.promise == Promise::kAll; }
};

/// A function of its arguments.
Plan make_plan(uint64_t seed, const Options& options);

/// One line for a person: what is switched on.
std::string describe(const Plan& plan);

}  // namespace eve::sim
