#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>

#include "cli/commands.h"

namespace eve::cli {

int fail(const Program& program, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), message.c_str());
  return 1;
}

const ServiceEntry* find_service(const Program& program, const std::string& name) {
  for (const auto& service : program.services) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

std::vector<std::string> service_names(const Program& program) {
  std::vector<std::string> names;
  for (const auto& service : program.services) names.push_back(service.name);
  return names;
}

namespace {

int parse_and_run(const Program& program, int argc, char** argv) {
  CLI::App app{"Eve: execute-verify replication for multithreaded services", program.name};
  app.require_subcommand(1);
  app.set_version_flag("--version", "eve 0.1.0");
  Action action;
  add_backup(app, program, action);
  add_dev(app, program, action);
  add_doctor(app, program, action);
  add_init(app, program, action);
  add_member(app, program, action);
  add_restore(app, program, action);
  add_serve(app, program, action);
  add_status(app, program, action);
  add_wait(app, program, action);
  for (const auto& extra : program.commands) app.add_subcommand(extra.name, extra.description);
  const auto named = [&](const CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(named).empty()) {
    fail(program, "unknown command \"" + std::string(argv[1]) + "\"; --help lists them");
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return action();
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) {
  for (const auto& extra : program.commands) {
    if (argc > 1 && extra.name == argv[1]) return extra.run(argc - 1, argv + 1);
  }
  return parse_and_run(program, argc, argv);
}

}  // namespace eve::cli
