// Many seeds, on as many threads as wanted. What comes out is the same for any number of threads:
// outcomes are handed over in the order of their seeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/run_seed.h"

namespace eve::sim {

struct Campaign {
  Options options;
  uint64_t first_seed = 1;
  uint64_t seeds = 1;  ///< how many; those begun by the end of `minutes` count if it is set
  std::optional<double> minutes;  ///< then seeds are run until this time is up, `seeds` is nothing
  size_t jobs = 1;                ///< threads; 0: one for each core
  std::ostream* trace = nullptr;  ///< with one job only, as the next
  Diagram* diagram = nullptr;
  /// If not empty: what the seeds are run with in turn, instead of the options' strategy.
  std::vector<std::string> strategies;
  Options options_for(uint64_t seed) const;
  /// A thread is about to run this seed; called on it.
  std::function<void(uint64_t seed)> starting;
};

/// Calls `each` with every outcome, one at a time, from any thread.
void run(const Campaign& campaign, const std::function<void(uint64_t, const Outcome&)>& each);

}  // namespace eve::sim
