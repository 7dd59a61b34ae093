// Makes things go wrong, as the plan says, and right again: at most u executors and u verifiers are
// faulty at once, where a restarted node is faulty until it has recovered, unless the plan says
// that too many may be.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/host.h"
#include "sim/network.h"
#include "sim/partition.h"
#include "sim/plan.h"
#include "sim/sites.h"

namespace eve::sim {

class Faults {
 public:
  /// The references outlive this; hosts are numbered as in the roster, clients left out.
  /// `on_crash` is told of every crash after it has happened.
  Faults(const Plan& plan, uint64_t seed, EventQueue& queue, Network& network,
         std::vector<Host*> executors, std::vector<Host*> verifiers, size_t nodes,
         std::function<void(Address)> on_crash);

  void start();
  /// Everything is repaired: links, nodes, clocks. Nothing goes wrong any more.
  void stop();

  const Sites& sites() const { return sites_; }

 private:
  /// Runs `fault` again and again, `every` apart on average.
  void repeat(TimeUs every, std::function<void()> fault);
  void start_clocks();
  void start_slow(std::vector<Host*>& hosts, bool slow);
  bool lies(const Host& host) const { return plan_.byzantine.faulty(host.self(), plan_.model); }
  /// Its disk may have spoilt what it kept: it counts as faulty all along.
  bool damaged(const Host& host) const {
    return plan_.storage.is_damaged(host.self(), plan_.model);
  }
  void look_for_broken();
  size_t faulty(const std::vector<Host*>& hosts) const;
  bool may_crash(const std::vector<Host*>& hosts) const;
  /// One that may crash, or null.
  Host* victim(const std::vector<Host*>& hosts);
  void crash_together();
  void crash_one(const std::vector<Host*>& hosts);
  void crash(Host& host);
  void restart(Host& host);
  void partition();
  void clog();
  void pause_one(TimeUs until);
  void send_to_sleep();
  void blackout();
  void step_clock();
  Host& any_server();
  TimeUs around(TimeUs mean);

  Plan plan_;
  Random random_;
  EventQueue& queue_;
  Network& network_;
  std::vector<Host*> executors_;
  std::vector<Host*> verifiers_;
  size_t nodes_;
  std::function<void(Address)> on_crash_;
  bool stopped_ = false;
  uint64_t partitions_made_ = 0;
  Sites sites_;
};

}  // namespace eve::sim
