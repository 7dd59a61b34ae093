// Runs a scenario: a script that drives a small cluster step by step (docs/scenarios.md has the
// language). Gives the transcript, and what went wrong at which line, if something did.
#pragma once

#include <string>

#include "sim/fiber.h"

namespace eve::sim {

struct ScenarioOutcome {
  bool ok = true;
  std::string failure;  ///< "line 7: expected ...", if not ok
  std::string transcript;
  std::string mermaid;
};

/// A function of `script`. Nothing that a script says can stop the process, but what stops a node.
ScenarioOutcome run_scenario(const std::string& script, Fibers& fibers);

}  // namespace eve::sim
