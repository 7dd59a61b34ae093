#include "sim/scenario_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run_seed.h"
#include "sim/scenario.h"

namespace eve::sim {
namespace {

constexpr std::string_view kOption = "--scenario";

struct Arguments {
  std::vector<std::string> files;
  bool mermaid = false;
  bool check = false;
  bool bless = false;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option(std::string(kOption), arguments.files, "Scripts to run (docs/scenarios.md)")
      ->required()
      ->check(CLI::ExistingFile);
  auto* mermaid = app.add_flag("--mermaid", arguments.mermaid, "Print a Mermaid sequence diagram");
  auto* check = app.add_flag("--check", arguments.check,
                             "Print nothing, but compare with FILE's golden .transcript");
  app.add_flag("--bless", arguments.bless, "Print nothing, but write FILE's golden .transcript")
      ->excludes(mermaid)
      ->excludes(check);
  check->excludes(mermaid);
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The first line that differs, both ways.
std::string difference(const std::string& golden, const std::string& now) {
  std::istringstream expected(golden);
  std::istringstream got(now);
  for (uint64_t number = 1;; ++number) {
    std::string left;
    std::string right;
    const bool more_left = static_cast<bool>(std::getline(expected, left));
    const bool more_right = static_cast<bool>(std::getline(got, right));
    if (!more_left && !more_right) return "only in how lines end";
    if (more_left && more_right && left == right) continue;
    return "line " + std::to_string(number) + "\n  golden: " + (more_left ? left : "(ended)") +
           "\n  now:    " + (more_right ? right : "(ended)");
  }
}

bool run_file(const std::string& name, const Arguments& arguments, Fibers& fibers) {
  const ScenarioOutcome outcome = run_scenario(read(name), fibers);
  const bool prints = !arguments.check && !arguments.bless;
  if (prints) std::cout << (arguments.mermaid ? outcome.mermaid : outcome.transcript);
  if (!outcome.ok) {
    std::cout.flush();
    std::cerr << name << ": " << outcome.failure << '\n';
    return false;
  }
  if (prints) return true;
  const auto golden = std::filesystem::path(name).replace_extension(".transcript");
  if (arguments.bless) {
    std::ofstream(golden, std::ios::binary) << outcome.transcript;
    return true;
  }
  const std::string expected = read(golden);
  if (expected == outcome.transcript) return true;
  std::cerr << name << ": the transcript differs from " << golden.filename().string() << " in "
            << difference(expected, outcome.transcript)
            << "\nIf that is right: eve sim --bless --scenario " << name << '\n';
  return false;
}

}  // namespace

bool wants_scenario(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view argument) {
    return argument == kOption || argument.starts_with(std::string(kOption) + '=') ||
           argument == "--check" || argument == "--bless";
  });
}

int scenario_command(int argc, char** argv) {
  CLI::App app("Runs scripts that drive a small cluster step by step, and prints what happened.",
               "eve sim");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  Fibers fibers(kWorkers);
  bool ok = true;
  for (const std::string& file : arguments.files) ok = run_file(file, arguments, fibers) && ok;
  return ok ? 0 : 1;
}

}  // namespace eve::sim
