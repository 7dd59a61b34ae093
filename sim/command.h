// `eve sim`: runs seeds of the simulated world.
#pragma once

namespace eve::sim {

/// argv[0] is the subcommand's name. 0: every seed went well; 1: one did not, and the output says
/// how to see it again; 2: wrong usage.
int run_command(int argc, char** argv);

}  // namespace eve::sim
