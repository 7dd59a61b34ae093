#include "sim/byzantine_plan.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "sim/adversary/catalogue.h"

namespace eve::sim {
namespace {

uint32_t between(Random& random, uint32_t least, uint32_t most) {
  return least + static_cast<uint32_t>(random.below(most - least + 1));
}

/// More than the model admits: more than r that lie, or more than u that are silent.
void go_beyond(ByzantinePlan& plan, Random& random, FaultModel model) {
  plan.to_the_end = true;
  if (random.chance(1, 4)) {
    plan.strategy = "mute";
    plan.promise = Promise::kSafety;
    plan.executors = random.chance(1, 2) ? between(random, model.u() + 1, model.executors()) : 0;
    plan.verifiers = plan.executors == 0 ? between(random, model.u() + 1, model.verifiers()) : 0;
    return;
  }
  plan.promise = Promise::kSanity;
  plan.executors = between(random, model.r() + 1, model.executors());
  plan.verifiers = between(random, model.r() + 1, model.verifiers());
  if (random.chance(1, 3)) plan.executors = 0;
  if (plan.executors > 0 && random.chance(1, 3)) plan.verifiers = 0;
  plan.clients = between(random, 0, 2);
}

/// Where there are sessions that may expire; liars are there to see it.
void wait_for_expiry(ByzantinePlan& plan, Random& random) {
  plan.expiry = plan.clients > 0 && random.chance(1, 3);
  plan.to_the_end = plan.to_the_end || plan.expiry;
}

void use_only(ByzantinePlan& plan, const std::string& names, Random& random, FaultModel model) {
  const auto entries = adversary::find_all(names);
  EVE_CHECK(!entries.empty(), "the strategies are in the catalogue");
  plan.strategy = names;
  for (const adversary::Entry* entry : entries) {
    if (entry->fits(Role::kClient)) plan.clients = between(random, 1, 2);
    // Whose sessions may expire.
    if (entry->name == "stale-bundles") plan.clients = std::max(plan.clients, 1u);
    if (entry->fits(Role::kExecutor)) plan.executors = model.r();
    if (entry->fits(Role::kVerifier)) plan.verifiers = model.r();
    if (entry->occasion == adversary::Occasion::kViewChange) plan.first = 1;
  }
  plan.apart = entries.size() > 1 && model.r() > 1 && random.chance(1, 2);
}

}  // namespace

bool ByzantinePlan::faulty(Address node, FaultModel model) const {
  const bool executor = node.role == Role::kExecutor;
  const uint32_t all = executor ? model.executors() : model.verifiers();
  return (node.index + all - first % all) % all < (executor ? executors : verifiers);
}

ByzantinePlan make_byzantine(Random& random, FaultModel model, const ByzantineOptions& options) {
  ByzantinePlan plan;
  plan.to_the_end = random.chance(1, 2);
  plan.first = random.chance(1, 2) ? 0 : between(random, 1, model.verifiers() - 1);
  plan.change_us = 20'000 + static_cast<TimeUs>(random.below(400'000));
  if (options.beyond) {
    go_beyond(plan, random, model);
    return plan;
  }
  if (!options.strategy.empty()) {
    use_only(plan, options.strategy, random, model);
    wait_for_expiry(plan, random);
    return plan;
  }
  if (random.chance(1, 4)) plan.clients = between(random, 1, 2);
  const bool asked = options.twins || options.amnesia;
  if (model.byzantine() && (asked || random.chance(1, 2))) {
    if (random.chance(2, 3)) plan.executors = between(random, 1, model.r());
    if (random.chance(2, 3)) plan.verifiers = between(random, 1, model.r());
    const uint64_t manner = random.below(6);
    if (manner == 0) plan.manner = Manner::kTwins;
    if (manner == 1) plan.manner = Manner::kAmnesia;
  }
  if (asked) plan.manner = options.twins ? Manner::kTwins : Manner::kAmnesia;
  if (asked && plan.executors + plan.verifiers == 0) plan.verifiers = model.r();
  wait_for_expiry(plan, random);
  return plan;
}

std::string describe(const ByzantinePlan& plan) {
  static constexpr std::array<const char*, 3> kManners = {"", " twins", " amnesia"};
  static constexpr std::array<const char*, 3> kPromises = {"", " promise=safety",
                                                           " promise=sanity"};
  std::string text;
  const auto show = [&text](const char* name, auto value) {
    if (value != 0) text += ' ' + std::string(name) + '=' + std::to_string(value);
  };
  show("lying_executors", plan.executors);
  show("lying_verifiers", plan.verifiers);
  show("rogue_clients", plan.clients);
  if (plan.executors + plan.verifiers > 0) show("first_liar", plan.first);
  if (!plan.strategy.empty()) text += " strategy=" + plan.strategy;
  show("apart", static_cast<int>(plan.apart));
  text += kManners[static_cast<size_t>(plan.manner)];
  text += kPromises[static_cast<size_t>(plan.promise)];
  show("lie_to_the_end", static_cast<int>(plan.to_the_end));
  show("expiry", static_cast<int>(plan.expiry));
  return text;
}

/// What a node owes by itself, whoever it hears. All other promises need honest peers.
bool promised_beyond(const std::string& invariant) {
  static constexpr std::array<const char*, 6> kOwn = {"bounds", "timers",    "gate",
                                                      "state",  "addresses", "no regress"};
  return std::find(kOwn.begin(), kOwn.end(), invariant) != kOwn.end();
}

}  // namespace eve::sim
