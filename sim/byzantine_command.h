// The part of `eve sim`'s command line that is about liars.
#pragma once

#include <CLI/App.hpp>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/adversary/traitor.h"
#include "sim/byzantine_plan.h"

namespace eve::sim {

struct ByzantineArguments {
  ByzantineOptions options;
  bool pairs = false;
  bool list = false;
  bool table = false;

  /// What is asked for makes no sense where nodes do not lie.
  bool needs_liars() const;
};

void declare(CLI::App& app, ByzantineArguments& arguments);
/// " --twins" and so on: what the seed alone does not say.
std::string replay_words(const ByzantineOptions& options);
/// All strategies, a line each.
void print_strategies(std::ostream& out);
/// What each one did.
void print_table(const adversary::DeedsByName& deeds, std::ostream& out);
nlohmann::json to_json(const adversary::DeedsByName& deeds);

}  // namespace eve::sim
