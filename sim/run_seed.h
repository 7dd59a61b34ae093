// Runs one seed and says how it went.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "sim/diagram.h"
#include "sim/fiber.h"
#include "sim/plan.h"
#include "sim/statistics.h"

namespace eve::sim {

/// Workers of every simulated replica.
inline constexpr size_t kWorkers = 4;

struct Outcome {
  Plan plan;
  bool ok = true;
  std::string invariant;  ///< the broken one
  std::string failure;    ///< what was seen, and where every node stood
  uint64_t trace_digest = 0;
  Statistics statistics;
};

/// A function of seed and options, but for `trace`, which gets the text of all that happens, and
/// `diagram`, which gets its window, unless they are null. Precondition: options.service is empty
/// or known.
Outcome run_seed(uint64_t seed, const Options& options, Fibers& fibers, std::ostream* trace,
                 Diagram* diagram = nullptr);

}  // namespace eve::sim
