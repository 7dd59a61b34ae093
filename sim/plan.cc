#include "sim/plan.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/random.h"
#include "sim/adversary/catalogue.h"

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
  return plan;
}

FaultPlan make_faults(Random& random) {
  FaultPlan plan;
  if (random.chance(1, 3)) {
    plan.partition_every_us = of_any_size(random, 100'000, 2'000'000);
    plan.partition_us = of_any_size(random, 20'000, 1'000'000);
  }
  if (random.chance(2, 5)) plan.executor_crash_every_us = of_any_size(random, 50'000, 2'000'000);
  if (random.chance(2, 5)) plan.verifier_crash_every_us = of_any_size(random, 50'000, 2'000'000);
  plan.down_us = of_any_size(random, 2'000, 1'000'000);
  if (random.chance(1, 4)) {
    plan.pause_every_us = of_any_size(random, 50'000, 1'000'000);
    plan.pause_us = of_any_size(random, 10'000, 3'000'000);
  }
  return plan;
}

/// Faults, within the model, that give the strategy something to lie about.
void make_occasion(Plan& plan, adversary::Occasion occasion) {
  switch (occasion) {
    case adversary::Occasion::kAlways:
      break;
    case adversary::Occasion::kViewChange:  // primaries crash; no executor lies
      plan.faults.executor_crash_every_us = 150'000;
      plan.faults.down_us = 50'000;
      break;
    case adversary::Occasion::kTransfer:  // executors miss what happens
      plan.service = "racing";
      plan.faults.partition_every_us = 120'000;
      plan.faults.partition_us = 100'000;
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

}  // namespace

Plan make_plan(uint64_t seed, const Options& options) {
  Random random(seed ^ 0x5eedc0de5eedc0deull);
  Plan plan;
  plan.seed = seed;
  plan.model = options.model;
  static constexpr std::array<const char*, 3> kServices = {"bank", "racing", "kv"};
  const uint64_t service = random.below(kServices.size());
  plan.service = options.service.empty() ? kServices[service] : options.service;
  plan.clients = number(random, 1, 4);
  plan.requests = number(random, 150, random.chance(1, 4) ? 1200 : 400);
  plan.burst = number(random, 1, 12);
  plan.max_bundles = number(random, 1, 4);
  plan.duration_us = options.duration_us;
  plan.faults_until_us = options.duration_us * 7 / 10;
  // Load that stops early leaves those who are behind to themselves: nothing new tells them so.
  plan.load_us = options.duration_us / (random.chance(1, 2) ? 1 : between(random, 2, 30));
  plan.switch_every = number(random, 1, 12);
  plan.clock_offset_us = random.chance(1, 2) ? between(random, 1, 50'000) : 0;
  plan.request_cost_us = random.chance(1, 4) ? between(random, 100, 2000) : 20;
  const bool calm = random.chance(1, 6);
  if (!calm) plan.network = make_network(random);
  if (!calm) plan.faults = make_faults(random);
  const bool asked = options.byzantine.any();
  if (!calm || asked) plan.byzantine = make_byzantine(random, options.model, options.byzantine);
  if (options.byzantine.twins) make_short(plan, random);
  if (const auto* entry = adversary::find(options.byzantine.strategy)) {
    make_occasion(plan, entry->occasion);
  }
  return plan;
}

std::string describe(const Plan& plan) {
  std::ostringstream out;
  const NetworkPlan& net = plan.network;
  const FaultPlan& faults = plan.faults;
  out << "u=" << plan.model.u() << " r=" << plan.model.r() << " service=" << plan.service
      << " clients=" << plan.clients << " requests=" << plan.requests;
  const auto show = [&out](const char* name, auto value) {
    if (value != 0) out << ' ' << name << '=' << value;
  };
  show("tail_per_mille", net.tail_per_mille);
  show("loss_per_mille", net.loss_per_mille);
  show("duplicate_per_mille", net.duplicate_per_mille);
  show("reorder", net.reorder);
  if (plan.load_us != plan.duration_us) show("load_us", plan.load_us);
  show("partition_every_us", faults.partition_every_us);
  show("executor_crash_every_us", faults.executor_crash_every_us);
  show("verifier_crash_every_us", faults.verifier_crash_every_us);
  show("pause_every_us", faults.pause_every_us);
  out << describe(plan.byzantine);
  return out.str();
}

}  // namespace eve::sim
