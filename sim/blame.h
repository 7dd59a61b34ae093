// Invariant 12: what a correct node sends, no correct node refuses, but for what Host::may_refuse()
// names.
#pragma once

#include <cstdint>
#include <set>

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::sim {

class BlameChecker {
 public:
  /// This node is not correct: refusing it is right.
  void excuse(Address node) { excused_.insert(node); }
  /// `node` counted `refused` more refusals when it got this. Throws a Violation if it should not.
  void received(Address node, Address from, const wire::Message& message, uint64_t refused) const;

 private:
  std::set<Address> excused_;
};

}  // namespace eve::sim
