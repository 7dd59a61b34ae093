#include "sim/run_seed.h"

#include "sim/member_world.h"
#include "sim/pair_world.h"
#include "sim/violation.h"
#include "sim/world.h"

namespace eve::sim {

namespace {

template <typename OneWorld>
Outcome run_world(Plan plan, Fibers& fibers, std::ostream* trace, Diagram* diagram) {
  Outcome outcome;
  outcome.plan = std::move(plan);
  OneWorld world(outcome.plan, fibers, trace, diagram);
  try {
    world.run();
  } catch (const Violation& violation) {
    outcome.ok = false;
    outcome.invariant = violation.invariant();
    outcome.failure = std::string(violation.what()) + '\n' + world.describe_nodes();
  }
  outcome.trace_digest = world.trace_digest();
  outcome.statistics = world.statistics();
  return outcome;
}

}  // namespace

Outcome run_seed(uint64_t seed, const Options& options, Fibers& fibers, std::ostream* trace,
                 Diagram* diagram) {
  Plan plan = make_plan(seed, options);
  if (options.model.is_primary_backup()) {
    return run_world<PairWorld>(std::move(plan), fibers, trace, diagram);
  }
  if (options.members) return run_world<MemberWorld>(std::move(plan), fibers, trace, diagram);
  return run_world<World>(std::move(plan), fibers, trace, diagram);
}

}  // namespace eve::sim
