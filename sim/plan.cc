#include "sim/plan.h"

#include <algorithm>
#include <sstream>

#include "base/limits.h"
#include "base/random.h"
#include "sim/adversary/catalogue.h"
#include "sim/workload.h"

namespace eve::sim {
namespace {

TimeUs between(Random& random, TimeUs least, TimeUs most) {
  return least + static_cast<TimeUs>(random.below(static_cast<uint64_t>(most - least + 1)));
}

/// As likely to be small as large: 10 to 100 as often as 100 to 1000.
TimeUs of_any_size(Random& random, TimeUs least, TimeUs most) {
  uint32_t doublings = 0;
  while ((least << (doublings + 1)) <= most) ++doublings;
  const TimeUs from = least << random.below(doublings + 1);
  return between(random, from, std::min(2 * from, most));
}

uint32_t number(Random& random, uint32_t least, uint32_t most) {
  return static_cast<uint32_t>(between(random, least, most));
}

NetworkPlan make_network(Random& random) {
  NetworkPlan plan;
  if (random.chance(1, 2)) plan.tail_per_mille = number(random, 1, 30);
  if (random.chance(1, 3)) plan.loss_per_mille = number(random, 1, random.chance(1, 4) ? 100 : 20);
  if (random.chance(1, 3)) plan.duplicate_per_mille = number(random, 1, 30);
  plan.reorder = random.chance(1, 3);
  if (random.chance(1, 5)) plan.replay_per_mille = number(random, 1, 20);
  if (random.chance(1, 6)) plan.bytes_per_ms = static_cast<uint64_t>(of_any_size(random, 50, 5000));
  return plan;
}

void add_crashes(Random& random, FaultPlan& plan) {
  if (random.chance(2, 5)) plan.executor_crash_every_us = of_any_size(random, 50'000, 2'000'000);
  if (random.chance(2, 5)) plan.verifier_crash_every_us = of_any_size(random, 50'000, 2'000'000);
  plan.down_us = of_any_size(random, 2'000, 1'000'000);
  if (random.chance(1, 4)) plan.loop_per_mille = number(random, 100, 900);
  if (random.chance(1, 10)) {
    plan.blackout_every_us = of_any_size(random, 300'000, 2'000'000);
    plan.blackout_us = of_any_size(random, 1'000, 500'000);
  }
  plan.too_many = random.chance(1, 12);
}

void add_pauses(Random& random, FaultPlan& plan) {
  if (random.chance(1, 4)) {
    plan.pause_every_us = of_any_size(random, 50'000, 1'000'000);
    plan.pause_us = of_any_size(random, 10'000, 3'000'000);
  }
  if (random.chance(1, 30)) plan.long_pause_us = of_any_size(random, 5'000'000, 600'000'000);
  plan.slow_executor = random.chance(1, 10);
  plan.slow_verifier = random.chance(1, 10);
}

FaultPlan make_faults(Random& random) {
  FaultPlan plan;
  if (random.chance(1, 3)) {
    plan.partition_every_us = of_any_size(random, 100'000, 2'000'000);
    plan.partition_us = of_any_size(random, 20'000, 1'000'000);
  }
  if (random.chance(1, 6)) {
    plan.clog_every_us = of_any_size(random, 50'000, 1'000'000);
    plan.clog_us = of_any_size(random, 10'000, 1'000'000);
  }
  add_crashes(random, plan);
  add_pauses(random, plan);
  return plan;
}

ClockPlan make_clocks(Random& random, const Plan& all) {
  ClockPlan plan;
  if (random.chance(1, 2)) plan.offset_us = of_any_size(random, 1'000, 20'000'000);
  if (random.chance(1, 4)) plan.drift_ppm = of_any_size(random, 10, 50'000);
  if (random.chance(1, 6)) {
    plan.step_every_us = of_any_size(random, 200'000, 2'000'000);
    plan.step_us = of_any_size(random, 10'000, 10'000'000);
  }
  // It counts among the faulty ones, and with it they would be too many.
  const bool others =
      all.byzantine.executors + all.faults.executor_crash_every_us + all.faults.blackout_every_us !=
      0;
  plan.beyond_skew = !others && random.chance(1, 8);
  return plan;
}

/// An hour in which nothing is asked for, so that sessions expire; or a node that is away for long.
void lengthen(Random& random, Plan& plan) {
  const bool liars =
      plan.byzantine.executors + plan.byzantine.verifiers + plan.byzantine.clients != 0;
  // They would lie all that time.
  if (liars) plan.faults.long_pause_us = 0;
  if (!liars && random.chance(1, 80)) {
    plan.sleep_us = limits::kSessionExpiryUs + 60'000'000;
    plan.faults = FaultPlan();
    plan.clocks = ClockPlan();
  }
  // A drift of minutes would leave the skew allowed.
  if (plan.faults.long_pause_us != 0) plan.clocks.drift_ppm = 0;
  plan.duration_us += plan.slept_us();
}

/// Faults, within the model, that give the strategy something to lie about.
void make_occasion(Plan& plan, adversary::Occasion occasion, bool any_service) {
  switch (occasion) {
    case adversary::Occasion::kAlways:
      break;
    case adversary::Occasion::kViewChange:  // primaries crash, or executors diverge
      if (any_service && plan.byzantine.executors > 0) plan.service = "racing";
      plan.faults.executor_crash_every_us = 150'000;
      plan.faults.down_us = 50'000;
      break;
    case adversary::Occasion::kTransfer:  // executors miss what happens
      plan.service = "racing";
      plan.faults.partition_every_us = 120'000;
      plan.faults.partition_us = 100'000;
      break;
    case adversary::Occasion::kDivergence:
      if (any_service) plan.service = "racing";
  }
}

/// Twins need little load and few other faults: many short runs find more than a few long ones.
void make_short(Plan& plan, Random& random) {
  plan.clients = 1;
  plan.requests = number(random, 6, 24);
  plan.burst = number(random, 1, 3);
  plan.max_bundles = number(random, 2, 4);
  plan.load_us = plan.duration_us;
  plan.faults = FaultPlan();
  plan.network.loss_per_mille = 0;
  if (random.chance(1, 2)) {
    plan.faults.partition_every_us = 100'000;
    plan.faults.partition_us = 100'000;
  }
  // New views, for twins that lead some of them.
  if (plan.byzantine.executors == 0 && random.chance(2, 3)) {
    plan.faults.executor_crash_every_us = 150'000;
    plan.faults.down_us = 50'000;
  }
  plan.byzantine.clients = 0;
  plan.byzantine.expiry = false;
}

/// Of two replicas that are not told lies. Without an arbiter: nothing is lost, and delays and
/// pauses stay within what docs/primary-backup.md assumes (a quarter of the silence).
void make_pair(Plan& plan, const Options& options, Random& random) {
  constexpr TimeUs kShortPauseUs = 50'000;  // a mean; at most twice that
  plan.arbiter = options.arbiter;
  plan.byzantine = {};
  plan.real_signatures = false;
  plan.mixed_patience = false;
  plan.sleep_us = 0;
  plan.duration_us = options.duration_us;
  plan.load_us = std::min(plan.load_us, plan.duration_us);
  plan.clocks = {plan.clocks.offset_us, 0, 0, 0, false};
  // A failover takes its time: more crashes than that would only be refused.
  if (plan.faults.executor_crash_every_us > 0) plan.faults.executor_crash_every_us /= 4;
  // A replica that is alone answers what two would never agree on: here they stay together.
  if (plan.service == "poison") {
    plan.faults = {};
    plan.network.loss_per_mille = 0;
    plan.network.bytes_per_ms = 0;
  }
  if (plan.arbiter) return;
  plan.network.loss_per_mille = 0;
  plan.network.bytes_per_ms = 0;
  plan.faults.partition_every_us = 0;
  plan.faults.slow_executor = false;
  if (plan.faults.pause_every_us > 0) plan.faults.pause_us = random.below(kShortPauseUs) + 1;
}

/// Nodes are replaced: liars are drawn by the world, and no disk is damaged.
void make_members(Plan& plan, const Options& options) {
  plan.members = true;
  plan.byzantine = {};
  plan.real_signatures = false;
  plan.mixed_patience = false;
  plan.sleep_us = 0;
  plan.duration_us = options.duration_us;
  plan.load_us = std::min(plan.load_us, plan.duration_us);
  plan.clocks = {plan.clocks.offset_us, 0, 0, 0, false};
  // Requests that are never agreed on end in quarantine after K views: another world's matter.
  if (plan.service == "poison" || plan.service == "moody") plan.service = "racing";
}

}  // namespace

namespace {

// Damaged disks make their nodes faulty: as many as are left of the u.
void damage_disks(Plan& plan, const Options& options, Random& random) {
  if (options.model.is_primary_backup()) return;  // of two, none is left over
  const bool asked = options.storage == StorageChoice::kDamaged;
  const bool wanted = asked || (options.storage == StorageChoice::kAny && random.chance(1, 3));
  const uint32_t liars = std::max(plan.byzantine.executors, plan.byzantine.verifiers);
  const bool others = plan.faults.too_many || plan.clocks.beyond_skew ||
                      plan.byzantine.promise != Promise::kAll ||
                      plan.byzantine.manner != Manner::kStrategies;
  if (!wanted || others || liars >= plan.model.u() || !plan.storage.verifiers_too()) return;
  const auto first = static_cast<uint16_t>(plan.byzantine.first + liars);
  plan.storage.draw_damage(random, plan.model.u() - liars, first);
}

}  // namespace

Plan make_plan(uint64_t seed, const Options& options) {
  Random random(seed ^ 0x5eedc0de5eedc0deull);
  Plan plan;
  plan.seed = seed;
  plan.model = options.model;
  const auto& services = workload_names();
  const uint64_t service = random.below(services.size());
  plan.service = options.service.empty() ? services[service] : options.service;
  plan.clients = number(random, 1, 4);
  plan.requests = number(random, 150, random.chance(1, 4) ? 1200 : 400);
  plan.burst = number(random, 1, 12);
  plan.max_bundles = number(random, 1, 4);
  if (random.chance(1, 10)) {
    // Many small batches: who is away for a moment finds that others have forgotten where it was.
    plan.clients = 4;
    plan.requests = number(random, 1000, 2000);
    plan.burst = 1;
    plan.max_bundles = 1;
  }
  plan.duration_us = options.duration_us;
  // Load that stops early leaves those who are behind to themselves: nothing new tells them so.
  plan.load_us = options.duration_us / (random.chance(1, 2) ? 1 : between(random, 2, 30));
  plan.switch_every = number(random, 1, 12);
  plan.request_cost_us = random.chance(1, 4) ? between(random, 100, 2000) : 20;
  const bool calm = random.chance(1, 6);
  if (!calm) plan.network = make_network(random);
  if (!calm) plan.faults = make_faults(random);
  const bool asked = options.byzantine.any();
  if (!calm || asked) plan.byzantine = make_byzantine(random, options.model, options.byzantine);
  if (options.byzantine.twins) make_short(plan, random);
  for (const auto* entry : adversary::find_all(options.byzantine.strategy)) {
    make_occasion(plan, entry->occasion, options.service.empty());
  }
  const bool asked_for_twins = options.byzantine.twins;
  if (!calm && !asked_for_twins) plan.clocks = make_clocks(random, plan);
  plan.mixed_patience = !calm && !asked_for_twins && random.chance(1, 5);
  plan.real_signatures = options.model.byzantine() && !asked_for_twins && random.chance(1, 50);
  if (!asked_for_twins) lengthen(random, plan);
  plan.faults.sleeper = !calm && !asked_for_twins && plan.sleep_us == 0 && random.chance(1, 6);
  if (options.model.is_primary_backup()) make_pair(plan, options, random);
  if (options.members) make_members(plan, options);
  plan.faults_until_us = plan.duration_us - options.duration_us * 3 / 10;
  // From a stream of its own: what else a seed means stays as it is.
  Random for_storage(seed ^ 0xd15c'0000'5eed'd15cull);
  plan.storage = StoragePlan::draw(for_storage, options.storage);
  const bool stay_together = options.model.is_primary_backup() && plan.service == "poison";
  if (asked_for_twins || plan.sleep_us != 0 || stay_together) plan.storage.together_every_us = 0;
  if (stay_together) plan.storage.disk.per_million = {};  // who is late is left alone
  if (!options.members) damage_disks(plan, options, for_storage);
  return plan;
}

namespace {

/// Writes what is not zero.
class Shower {
 public:
  template <typename T>
  void operator()(const char* name, T value) {
    if (value != T{}) out_ << ' ' << name << '=' << value;
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

void show_network(const NetworkPlan& net, Shower& show) {
  show("tail_per_mille", net.tail_per_mille);
  show("loss_per_mille", net.loss_per_mille);
  show("duplicate_per_mille", net.duplicate_per_mille);
  show("replay_per_mille", net.replay_per_mille);
  show("reorder", net.reorder);
  show("bytes_per_ms", net.bytes_per_ms);
}

void show_clocks(const ClockPlan& clocks, Shower& show) {
  show("clock_offset_us", clocks.offset_us);
  show("drift_ppm", clocks.drift_ppm);
  show("clock_step_every_us", clocks.step_every_us);
  show("clock_step_us", clocks.step_us);
  show("beyond_skew", clocks.beyond_skew);
}

void show_faults(const FaultPlan& faults, Shower& show) {
  show("partition_every_us", faults.partition_every_us);
  show("clog_every_us", faults.clog_every_us);
  show("executor_crash_every_us", faults.executor_crash_every_us);
  show("verifier_crash_every_us", faults.verifier_crash_every_us);
  show("loop_per_mille", faults.loop_per_mille);
  show("blackout_every_us", faults.blackout_every_us);
  show("too_many", faults.too_many);
  show("pause_every_us", faults.pause_every_us);
  show("long_pause_us", faults.long_pause_us);
  show("sleeper", faults.sleeper);
  show("slow_executor", faults.slow_executor);
  show("slow_verifier", faults.slow_verifier);
}

}  // namespace

std::string describe(const Plan& plan) {
  Shower show;
  if (plan.load_us != plan.duration_us) show("load_us", plan.load_us);
  show("sleep_us", plan.sleep_us);
  show("mixed_patience", plan.mixed_patience);
  show("real_signatures", plan.real_signatures);
  show_network(plan.network, show);
  show_clocks(plan.clocks, show);
  show_faults(plan.faults, show);
  std::ostringstream out;
  out << "u=" << plan.model.u() << " r=" << plan.model.r() << " service=" << plan.service
      << " clients=" << plan.clients << " requests=" << plan.requests << show.text();
  out << describe(plan.byzantine) << describe(plan.storage);
  return out.str();
}

}  // namespace eve::sim
