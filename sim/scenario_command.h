// The command line of scenarios: `eve sim --scenario FILE... [--mermaid | --check | --bless]`.
#pragma once

namespace eve::sim {

/// Whether the arguments of `eve sim` ask for a scenario.
bool wants_scenario(int argc, char** argv);

/// Exit status: 0 done and as expected, 1 an expectation failed or the transcript differs, 2 wrong
/// usage.
int scenario_command(int argc, char** argv);

}  // namespace eve::sim
