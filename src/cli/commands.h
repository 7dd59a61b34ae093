// The subcommands that every program has. Each registers its options with CLI11 and leaves a
// function that runs it.
#pragma once

#include <CLI/App.hpp>
#include <functional>

#include "cli/program.h"

namespace eve::cli {

/// What the chosen subcommand does; returns the exit status.
using Action = std::function<int()>;

void add_backup(CLI::App& app, const Program& program, Action& action);
void add_dev(CLI::App& app, const Program& program, Action& action);
void add_doctor(CLI::App& app, const Program& program, Action& action);
void add_init(CLI::App& app, const Program& program, Action& action);
void add_member(CLI::App& app, const Program& program, Action& action);
void add_restore(CLI::App& app, const Program& program, Action& action);
void add_serve(CLI::App& app, const Program& program, Action& action);
void add_status(CLI::App& app, const Program& program, Action& action);
void add_wait(CLI::App& app, const Program& program, Action& action);

/// Workers that an executor may have; more cores than any machine that we know of.
inline constexpr size_t kMaxThreads = 1024;

/// The names of the services that a program can host, for the parser and for --help.
std::vector<std::string> service_names(const Program& program);

/// Prints "PROGRAM: MESSAGE" to standard error; 1.
int fail(const Program& program, const std::string& message);

/// The service of that name, or null.
const ServiceEntry* find_service(const Program& program, const std::string& name);

}  // namespace eve::cli
