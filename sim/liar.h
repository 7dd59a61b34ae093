// Turns the messages of a correct node into those of a lying one: some are lies, some go to half of
// their receivers with the truth to the others, some are held back, some old ones come again.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/random.h"
#include "sim/lies.h"
#include "wire/messages.h"

namespace eve::sim {

class Liar {
 public:
  /// Lies about `lie_per_mille` of a thousand messages.
  Liar(uint64_t seed, uint32_t lie_per_mille, const crypto::Authenticator& authenticator,
       const crypto::Digester& digester)
      : random_(seed), lie_per_mille_(lie_per_mille), lies_(seed + 1, authenticator, digester) {}

  std::vector<wire::Send> distort(const std::vector<wire::Send>& truth);
  /// Messages that were not sent as they should have been.
  uint64_t lies() const { return told_; }

 private:
  void distort(const wire::Send& truth, std::vector<wire::Send>& out);

  Random random_;
  uint32_t lie_per_mille_;
  Lies lies_;
  std::deque<wire::MessagePtr> old_;
  uint64_t told_ = 0;
};

}  // namespace eve::sim
