// Which executor a client believes to be the primary (rule C4).
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"

namespace eve::client {

class PrimaryGuess {
 public:
  explicit PrimaryGuess(FaultModel model);

  /// `executor` said in a reply that it is in `view`. Views only grow, so its highest word counts.
  void heard(uint16_t executor, View view);
  /// The link to `executor` broke. It is taken to be away until it is heard again.
  void lost(uint16_t executor) { away_[executor] = true; }

  /// Primary of the highest view that r+1 executors have reached or passed.
  uint16_t primary() const { return static_cast<uint16_t>(view_.value() % highest_.size()); }
  bool reachable() const { return !away_[primary()]; }

 private:
  size_t vouched_;
  std::vector<View> highest_;  ///< by executor
  std::vector<bool> away_;     ///< by executor
  View view_;
};

}  // namespace eve::client
