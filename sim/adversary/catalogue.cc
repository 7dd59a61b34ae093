#include "sim/adversary/catalogue.h"

#include <algorithm>
#include <utility>

namespace eve::sim::adversary {

bool Entry::fits(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

const std::vector<Entry>& catalogue() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> entries;
    for (auto* part : {primary_strategies, executor_strategies, verifier_strategies,
                       identity_strategies, transfer_strategies, client_strategies}) {
      for (Entry& entry : part()) entries.push_back(std::move(entry));
    }
    return entries;
  }();
  return all;
}

const Entry* find(const std::string& name) {
  for (const Entry& entry : catalogue()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::vector<const Entry*> draw(Role role, Random& random) {
  std::vector<const Entry*> fitting;
  for (const Entry& entry : catalogue()) {
    if (entry.fits(role)) fitting.push_back(&entry);
  }
  const size_t wanted = 1 + random.below(4);
  std::vector<const Entry*> drawn;
  while (drawn.size() < wanted) {
    const size_t pick = random.below(fitting.size());
    drawn.push_back(fitting[pick]);
    fitting.erase(fitting.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  return drawn;
}

}  // namespace eve::sim::adversary
