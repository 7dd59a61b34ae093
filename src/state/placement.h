// The order in which new objects take slots (DESIGN 5.3).
#pragma once

#include <vector>

#include "state/object.h"

namespace eve::state {

/// `fresh`, the objects that a batch has brought into being, in the order in which they take the
/// lowest free slots: keyed objects by (table, key).
std::vector<Object*> in_slot_order(const std::vector<Object*>& fresh);

}  // namespace eve::state
