// The subcommands that every program has. Each registers its options with CLI11 and leaves a
// function that runs it.
#pragma once

#include <CLI/App.hpp>
#include <functional>

#include "cli/program.h"

namespace eve::cli {

/// What the chosen subcommand does; returns the exit status.
using Action = std::function<int()>;

void add_dev(CLI::App& app, const Program& program, Action& action);
void add_init(CLI::App& app, const Program& program, Action& action);
void add_serve(CLI::App& app, const Program& program, Action& action);
void add_status(CLI::App& app, const Program& program, Action& action);

/// Prints "PROGRAM: MESSAGE" to standard error; 1.
int fail(const Program& program, const std::string& message);

/// The service of that name, or null.
const ServiceEntry* find_service(const Program& program, const std::string& name);

}  // namespace eve::cli
