// Checks of what the workers have written down (EVE_VERIFY). They cost O(entries) and stop the
// process.
#pragma once

#include <unordered_set>

#include "state/undo_log.h"

namespace eve::state {

/// The objects that `undo` names as of before the batch: each in one entry, whoever raced.
std::unordered_set<const Object*> verify_first_entries(const UndoLog& undo);

/// Entries since mark() hold what their objects held before it, and each object has one.
void verify_marked(const UndoLog& undo);

/// Everything that goes when the batch has ended: each version once, and none that an undo list
/// would put back.
std::unordered_set<const Version*> verify_retired(const UndoLog& undo);

}  // namespace eve::state
