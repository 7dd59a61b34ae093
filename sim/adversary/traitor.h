// A lying node: the correct code's messages, through a chain of strategies.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/adversary/catalogue.h"
#include "sim/adversary/strategy.h"

namespace eve::sim::adversary {

/// How much a strategy did: by name.
struct Deeds {
  uint64_t nodes = 0;    ///< that had it
  uint64_t touched = 0;  ///< messages that were not sent as they should have been, or were made up
};
using DeedsByName = std::map<std::string, Deeds>;

class Traitor {
 public:
  /// Uses every one of `entries`, on a share of messages that each draws. What `identity` refers to
  /// outlives this.
  Traitor(uint64_t seed, const Identity& identity, const std::vector<const Entry*>& entries);

  /// What it says instead of `truth`.
  std::vector<Utterance> distort(const std::vector<wire::Send>& truth, TimeUs now);
  /// It was sent `message`; what it says to that, beside what its correct code says.
  std::vector<Utterance> hear(const wire::MessagePtr& message, Address from, TimeUs now);
  std::vector<Utterance> tick(TimeUs now);

  void add_to(DeedsByName& deeds) const;

 private:
  struct Link {
    const Entry* entry;
    StrategyPtr strategy;
    uint32_t per_mille;
    uint64_t touched = 0;
  };
  void through(Link& link, std::vector<Utterance>& said, TimeUs now);

  Random random_;
  Identity identity_;
  std::vector<Link> links_;
};

}  // namespace eve::sim::adversary
