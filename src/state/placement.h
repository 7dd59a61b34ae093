// The order in which new objects take slots (DESIGN 5.3): keyed ones by (table, key); then
// free-standing ones by the first deterministic reference that reaches them; then those that none
// reaches by (request, sequence number). So it does not matter which request made an object that
// several were about to make.
#pragma once

#include <functional>
#include <vector>

#include "state/object.h"
#include "state/table.h"
#include "state/undo_log.h"

namespace eve::state {

/// `fresh`, keyed objects that a batch has brought into being, by (table, key).
std::vector<Object*> in_slot_order(const std::vector<Object*>& fresh);

/// Calls place(object) for each free-standing object that a batch has brought into being, in order.
/// `place` gives it its slot. The walk goes breadth-first from `changed`, the existing objects that
/// the batch has written (by ascending slot), then `fresh` (in their order), and takes the
/// references of each by offset. An object written without a change adds nothing: whatever it
/// refers to was there before.
void place_free_standing(const Table& graph, const std::vector<Object*>& changed,
                         const std::vector<Object*>& fresh, std::vector<Birth> births,
                         const std::function<void(Object*)>& place);

}  // namespace eve::state
