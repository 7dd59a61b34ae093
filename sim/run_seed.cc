#include "sim/run_seed.h"

#include "sim/violation.h"
#include "sim/world.h"

namespace eve::sim {

Outcome run_seed(uint64_t seed, const Options& options, Fibers& fibers, std::ostream* trace,
                 Diagram* diagram) {
  Outcome outcome;
  outcome.plan = make_plan(seed, options);
  World world(outcome.plan, fibers, trace, diagram);
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

}  // namespace eve::sim
