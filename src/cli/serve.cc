#include "eve/serve.h"

#include "cli/program.h"

namespace eve {

int serve(int argc, char** argv, std::string_view name, ServiceFactory factory) {
  cli::Program program;
  program.name = argc > 0 ? argv[0] : std::string(name);
  program.services.push_back({std::string(name), factory, nullptr});
  return cli::run_program(program, argc, argv);
}

}  // namespace eve
