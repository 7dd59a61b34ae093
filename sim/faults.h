// Makes things go wrong, as the plan says, and right again: at most u executors and u verifiers are
// faulty at once, where a restarted node is faulty until it has recovered.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/host.h"
#include "sim/network.h"
#include "sim/plan.h"

namespace eve::sim {

class Faults {
 public:
  struct Counts {
    uint64_t executor_crashes = 0;
    uint64_t verifier_crashes = 0;
    uint64_t partitions = 0;
    uint64_t pauses = 0;
  };

  /// The references outlive this; hosts are numbered as in the roster, clients left out.
  /// `on_crash` is told of every crash after it has happened.
  Faults(const Plan& plan, uint64_t seed, EventQueue& queue, Network& network,
         std::vector<Host*> executors, std::vector<Host*> verifiers, size_t nodes,
         std::function<void(Address)> on_crash);

  void start();
  /// Everything is repaired: links, nodes. Nothing goes wrong any more.
  void stop();

  const Counts& counts() const { return counts_; }

 private:
  /// Runs `fault` again and again, `every` apart on average.
  void repeat(TimeUs every, std::function<void()> fault);
  void crash_one(const std::vector<Host*>& hosts, uint64_t& count);
  void crash(Host& host);
  void partition();
  void pause_one();
  TimeUs around(TimeUs mean);

  FaultPlan plan_;
  ByzantinePlan liars_;
  TimeUs faults_until_us_;
  FaultModel model_;
  Random random_;
  EventQueue& queue_;
  Network& network_;
  std::vector<Host*> executors_;
  std::vector<Host*> verifiers_;
  size_t nodes_;
  std::function<void(Address)> on_crash_;
  bool stopped_ = false;
  uint64_t partitions_made_ = 0;
  Counts counts_;
};

}  // namespace eve::sim
