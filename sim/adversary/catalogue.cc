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
    for (auto* part :
         {primary_strategies, executor_strategies, verifier_strategies, equivocation_strategies,
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

std::vector<const Entry*> find_all(const std::string& names) {
  std::vector<const Entry*> found;
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find('+', begin), names.size());
    const Entry* entry = find(names.substr(begin, end - begin));
    if (entry == nullptr || std::find(found.begin(), found.end(), entry) != found.end()) return {};
    found.push_back(entry);
    begin = end + 1;
  }
  return found;
}

std::vector<std::string> pairs(uint64_t seed) {
  std::vector<std::string> all;
  for (const Entry& one : catalogue()) {
    for (const Entry& other : catalogue()) {
      if (&one < &other) all.push_back(one.name + '+' + other.name);
    }
  }
  Random random(seed);
  for (size_t left = all.size(); left > 1; --left) {
    std::swap(all[left - 1], all[random.below(left)]);
  }
  return all;
}

std::vector<const Entry*> draw(Role role, Random& random) {
  constexpr uint64_t kRarely = 10;
  std::vector<const Entry*> fitting;
  for (const Entry& entry : catalogue()) {
    if (entry.fits(role) && (!entry.heavy || random.chance(1, kRarely))) fitting.push_back(&entry);
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
