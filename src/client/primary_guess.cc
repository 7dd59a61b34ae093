#include "client/primary_guess.h"

#include <algorithm>
#include <functional>

namespace eve::client {

PrimaryGuess::PrimaryGuess(FaultModel model)
    : vouched_(model.vouched()), highest_(model.executors()), away_(model.executors(), false) {}

void PrimaryGuess::heard(uint16_t executor, View view) {
  away_[executor] = false;
  if (view <= highest_[executor]) return;
  highest_[executor] = view;
  std::vector<View> sorted = highest_;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  view_ = sorted[vouched_ - 1];
}

}  // namespace eve::client
