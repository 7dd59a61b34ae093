// The command line of `eve` and of every program made with eve::serve: backup, dev, doctor,
// init, member, restore, serve, status, wait, and what the program adds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "execution/runner.h"
#include "runtime/front_end.h"

namespace eve::cli {

/// A service that a program can host.
struct ServiceEntry {
  std::string name;
  execution::MakeService make;
  /// Null for services without a wire protocol of their own: clients use eve::Client.
  std::function<std::unique_ptr<runtime::FrontEndFactory>()> make_front_end;
};

/// A further subcommand that parses its own arguments: argv[0] is the subcommand's name.
struct ExtraCommand {
  std::string name;
  std::string description;
  std::function<int(int argc, char** argv)> run;
};

struct Program {
  std::string name;
  std::vector<ServiceEntry> services;  ///< the first is the default
  std::vector<ExtraCommand> commands;
};

/// Parses and runs. 0: done; 1: failed, with a message on standard error; 2: wrong usage.
int run_program(const Program& program, int argc, char** argv);

}  // namespace eve::cli
