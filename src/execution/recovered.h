// What an executor that did not lose its memory starts with (DESIGN 6.8, E12).
#pragma once

#include <vector>

#include "execution/commands.h"
#include "wire/messages.h"

namespace eve::execution {

/// A batch that had run, and is not known to be committed.
struct RecoveredBatch {
  /// Number, view, time, digest; of its bundles the heads, and as many empty requests as there
  /// were: enough to answer clients, not to run it again.
  wire::BatchPtr batch;
  BatchExecuted result;
};

struct Recovered {
  View view;          ///< the last one that it had entered
  BatchNumber start;  ///< the view's start point
  wire::Names quarantine;
  Fetched committed;                  ///< the last state that is known to be committed
  std::vector<RecoveredBatch> above;  ///< by number, without gaps; the Runner stands after them
  std::vector<wire::Token> said;      ///< its tokens of `view`, for numbers above committed
  /// Numbers above committed for which it may have said one of several things in `view`: batches
  /// that ran again after a repair. It says nothing more of them.
  std::vector<BatchNumber> unsure;
};

}  // namespace eve::execution
