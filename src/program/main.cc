// The program `eve`: the KV server, the simulator, the benchmarks.
#include "bench/bench.h"
#include "cli/program.h"
#include "services/kv/front_end.h"
#include "services/kv/service.h"
#include "sim/command.h"

int main(int argc, char** argv) {
  eve::cli::Program program;
  program.name = "eve";
  program.services.push_back(
      {"kv", eve::kv::make_service, [] { return std::make_unique<eve::kv::FrontEndFactory>(); }});
  program.commands.push_back(
      {"sim", "Run the protocol in a simulated world", eve::sim::run_command});
  program.commands.push_back({"bench", "Measure", eve::bench::run_command});
  return eve::cli::run_program(program, argc, argv);
}
