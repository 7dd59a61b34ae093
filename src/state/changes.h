// What a batch has changed, leaf by leaf: from the workers' undo lists, in no order, to ascending
// slots. Several workers turn a part of the lists each into an ascending run; the runs are merged
// piece by piece, by whoever hashes the piece. No step is one worker's alone.
#pragma once

#include <cstdint>
#include <vector>

#include "base/scheduler.h"
#include "state/content.h"
#include "state/history.h"
#include "state/undo_log.h"

namespace eve::state {

/// What one part of the undo lists says. An object is in one part only.
struct Changes {
  std::vector<LeafBefore> leaves;          ///< changed or gone; by ascending slot
  std::vector<uint64_t> gone;              ///< slots of objects that are no more, in no order
  std::vector<Object*> fresh;              ///< objects that have come into being, in no order
  std::vector<UndoLog::Entry> superseded;  ///< present only in the batch, till a mark or later
  std::vector<Content> contents;           ///< by table: by how much they have changed
  size_t version_bytes = 0;                ///< memory of the versions in `leaves`
  uint64_t value_bytes = 0;                ///< of what `leaves` and `fresh` hold now
};

/// Reads the undo lists of the open batch on the scheduler's workers, or on the spot when short.
/// Every object that is gone counts one more record that says so.
std::vector<Changes> collect_changes(const UndoLog& undo, Scheduler& scheduler);

/// Ascending runs that together are the changed leaves of a batch, each slot once. Reading it is
/// thread-safe.
class LeafRuns {
 public:
  /// `run` is by ascending slot.
  void add(std::vector<LeafBefore> run);
  size_t size() const { return size_; }
  /// About `count` slots or all, evenly chosen, ascending.
  std::vector<uint64_t> sample(size_t count) const;
  /// How many leaves lie before `slot`.
  size_t before(uint64_t slot) const;
  /// Writes the leaves in [first, end) to `out`, ascending; returns their slots.
  std::vector<uint64_t> merge(uint64_t first, uint64_t end, LeafBefore* out) const;

 private:
  std::vector<std::vector<LeafBefore>> runs_;
  size_t size_ = 0;
};

/// Sorts by slot, in O(leaves) when they are many.
void sort_by_slot(std::vector<LeafBefore>& leaves);

}  // namespace eve::state
