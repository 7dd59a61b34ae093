#include "sim/byzantine_command.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "sim/adversary/catalogue.h"

namespace eve::sim {
namespace {

constexpr int kNameWidth = 24;

std::string known_strategies(const std::string& names) {
  if (!adversary::find_all(names).empty()) return {};
  return "no strategy is called '" + names + "', nor are they some of those that " +
         "eve sim --strategies lists, each once, joined by '+'";
}

std::string roles_of(const adversary::Entry& entry) {
  std::string roles;
  if (entry.fits(Role::kExecutor)) roles += 'E';
  if (entry.fits(Role::kVerifier)) roles += 'V';
  if (entry.fits(Role::kClient)) roles += 'C';
  return roles;
}

}  // namespace

bool ByzantineArguments::needs_liars() const {
  if (options.twins || options.amnesia || options.beyond || pairs) return true;
  const auto wanted = adversary::find_all(options.strategy);
  return std::any_of(wanted.begin(), wanted.end(),
                     [](const auto* entry) { return !entry->fits(Role::kClient); });
}

void declare(CLI::App& app, ByzantineArguments& arguments) {
  ByzantineOptions& options = arguments.options;
  auto* strategy = app.add_option("--strategy", options.strategy,
                                  "Every liar that this strategy fits uses it, and only it; "
                                  "A+B: both, or two liars one each");
  strategy->check(known_strategies);
  auto* pairs = app.add_flag("--pairs", arguments.pairs,
                             "Each seed with two strategies: all pairs in turn, in an order of the "
                             "first seed's; each once, unless --seeds or --minutes says how many");
  auto* twins = app.add_flag("--twins", options.twins,
                             "Liars are twins: two instances of one identity; short runs");
  auto* amnesia =
      app.add_flag("--amnesia", options.amnesia, "Liars restart without memory and do not say so");
  auto* beyond =
      app.add_flag("--beyond", options.beyond, "More lie, or are silent, than the model admits");
  strategy->excludes(twins)->excludes(amnesia)->excludes(beyond)->excludes(pairs);
  pairs->excludes(twins)->excludes(amnesia)->excludes(beyond);
  twins->excludes(amnesia)->excludes(beyond);
  amnesia->excludes(beyond);
  app.add_flag("--strategies", arguments.list, "List the strategies of liars and exit");
  app.add_flag("--deeds", arguments.table, "Show what each strategy did");
}

std::string replay_words(const ByzantineOptions& options) {
  if (!options.strategy.empty()) return " --strategy " + options.strategy;
  if (options.twins) return " --twins";
  if (options.amnesia) return " --amnesia";
  return options.beyond ? " --beyond" : "";
}

void print_strategies(std::ostream& out) {
  for (const adversary::Entry& entry : adversary::catalogue()) {
    out << std::left << std::setw(kNameWidth) << entry.name << std::setw(4) << roles_of(entry)
        << entry.line << '\n';
  }
  out << "E: of executors, V: of verifiers, C: of clients\n";
}

void print_table(const adversary::DeedsByName& deeds, std::ostream& out) {
  out << std::left << std::setw(kNameWidth) << "strategy" << std::right << std::setw(8) << "nodes"
      << std::setw(12) << "messages" << '\n';
  for (const adversary::Entry& entry : adversary::catalogue()) {
    const auto found = deeds.find(entry.name);
    const adversary::Deeds did = found == deeds.end() ? adversary::Deeds() : found->second;
    out << std::left << std::setw(kNameWidth) << entry.name << std::right << std::setw(8)
        << did.nodes << std::setw(12) << did.touched << '\n';
  }
}

nlohmann::json to_json(const adversary::DeedsByName& deeds) {
  auto json = nlohmann::json::object();
  for (const auto& [name, did] : deeds) {
    json[name] = {{"nodes", did.nodes}, {"messages", did.touched}};
  }
  return json;
}

}  // namespace eve::sim
