// All strategies, by name: for the command line, for the swarm, and for the tests that run each
// alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "sim/adversary/strategy.h"

namespace eve::sim::adversary {

/// What must happen in a run before a strategy has anything to lie about.
enum class Occasion : uint8_t { kAlways, kViewChange, kTransfer, kDivergence };

struct Entry {
  std::string name;
  std::string line;  ///< what it does, for a person
  std::vector<Role> roles;
  /// A new instance; may draw what it does from the seed.
  std::function<StrategyPtr(Random&)> make;
  Occasion occasion = Occasion::kAlways;
  /// Of so many messages that the swarm draws it only now and then.
  bool heavy = false;

  bool fits(Role role) const;
};

/// By who lies: primaries, executors, verifiers, both together, anybody, sources of state, clients.
const std::vector<Entry>& catalogue();
/// Null if there is none.
const Entry* find(const std::string& name);
/// Those that `names` names, joined by '+'. Empty if one is unknown, or named twice.
std::vector<const Entry*> find_all(const std::string& names);
/// Every two of them, joined by '+', in an order that `seed` chooses.
std::vector<std::string> pairs(uint64_t seed);
/// One to four different ones for a node of this role.
std::vector<const Entry*> draw(Role role, Random& random);

// The parts of the catalogue, a file each.
std::vector<Entry> primary_strategies();
std::vector<Entry> executor_strategies();
std::vector<Entry> verifier_strategies();
std::vector<Entry> equivocation_strategies();
std::vector<Entry> identity_strategies();
std::vector<Entry> transfer_strategies();
std::vector<Entry> client_strategies();

}  // namespace eve::sim::adversary
