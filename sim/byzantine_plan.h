// Who lies in a seed, and how; and what is promised all the same.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/random.h"

namespace eve::sim {

/// How a faulty node is faulty.
enum class Manner : uint8_t {
  kStrategies,  ///< its messages pass through a chain of strategies
  kTwins,       ///< there are two of it, each speaking to some of the others
  kAmnesia,     ///< it restarts without its memory and does not say so
};

/// What the fault model promises of the nodes that are not faulty (DESIGN 2).
enum class Promise : uint8_t {
  kAll,     ///< at most u faulty, at most r of them lying: safety and liveness
  kSafety,  ///< more than u silent, at most r lying: safety
  kSanity,  ///< more than r lying: nobody crashes, nothing grows without bound
};

/// Faulty are the ones from `first` on of each role, round the circle.
struct ByzantinePlan {
  uint32_t executors = 0;
  uint32_t verifiers = 0;
  uint32_t clients = 0;  ///< beside the correct ones: rogues, as many as there like
  uint32_t first = 0;    ///< executor 0 leads view 0; verifier 1 makes view 1's NEW-VIEW
  Manner manner = Manner::kStrategies;
  Promise promise = Promise::kAll;
  /// Every liar that one of these, joined by '+', fits uses those and nothing else; empty: each
  /// draws some.
  std::string strategy;
  bool apart = false;       ///< of several liars each uses one of them, not all
  bool to_the_end = false;  ///< liars go on when all other faults have stopped
  TimeUs change_us = 0;     ///< mean time between two changes of the twins' company, two amnesias
  /// After the faults: all but the rogues keep their sessions alive for an hour, then all old
  /// messages may come again.
  bool expiry = false;

  /// Of executors and verifiers.
  bool faulty(Address node, FaultModel model) const;
};

/// What of it the command line asks for; each leaves the rest to the seed.
struct ByzantineOptions {
  std::string strategy;  ///< the only one, or some, joined by '+'; empty: the seed draws
  bool twins = false;
  bool amnesia = false;
  bool beyond = false;
  bool any() const { return !strategy.empty() || twins || amnesia || beyond; }
};

/// A function of its arguments and of the numbers drawn. Precondition: strategies that are
/// named are in the catalogue.
ByzantinePlan make_byzantine(Random& random, FaultModel model, const ByzantineOptions& options);

/// " liars=..." and so on, or nothing.
std::string describe(const ByzantinePlan& plan);

/// Whether a correct node owes this to its user even if more lie than the model admits.
bool promised_beyond(const std::string& invariant);

}  // namespace eve::sim
