// Invariant 12: no correct node is blamed: none refuses anything in the name of a correct one,
// whenever it shows. But a batch may be older than the clock of one that was away allows.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/ids.h"
#include "base/refusals.h"

namespace eve::sim {

class BlameChecker {
 public:
  /// How much a node had refused at the last look, by sender.
  using Seen = std::map<Address, uint64_t>;

  /// This node is not correct: refusing it is right.
  void excuse(Address node) { excused_.insert(node); }
  /// Throws a Violation if `node` has refused, since the last look, what a correct one sent.
  void look(Address node, const Refusals& refusals, Seen& seen) const;

 private:
  std::set<Address> excused_;
};

}  // namespace eve::sim
