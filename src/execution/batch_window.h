// The batches of an executor that are not committed yet, by number, and where each stands:
//
//   received --> running --> executed        (committed or dropped: leaves the window)
//      ^  |         |            |
//      |  |         |            |
//      |  v         v            v
//      | refused    +------------+--> received again, when what came before it was fetched
//      +-----------------------------------+
//
// Invariant: running and executed batches are the first ones of the window, without a gap, and no
// executed one follows a running one: batches run in order (E3).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"
#include "execution/recovered.h"
#include "wire/messages.h"

namespace eve::execution {

enum class Stage : uint8_t { kReceived, kRunning, kExecuted, kRefused };

struct WindowEntry {
  wire::BatchPtr batch;
  Stage stage = Stage::kReceived;
  wire::Names quarantine;     ///< of the batch's view
  uint64_t generation = 0;    ///< of the run; events of other generations are of dropped runs
  BatchExecuted result;       ///< where executed
  bool recovered = false;     ///< an earlier process ran it; of the bundles there are only heads
  TimeUs proposed_at = 0;     ///< primary: when the batch was made
  TimeUs sent_at = 0;         ///< primary: when the batch went out last
  TimeUs resend_wait_us = 0;  ///< primary: until it goes out again; doubles
};

/// It was a change of the members, and was executed: the last batch of its epoch, if it is
/// committed.
bool changed_members(const WindowEntry& entry);

class BatchWindow {
 public:
  using Entries = std::map<BatchNumber, WindowEntry>;

  WindowEntry* find(BatchNumber number);
  const WindowEntry* find(BatchNumber number) const;
  const Entries& entries() const { return entries_; }
  Entries& entries() { return entries_; }

  /// Precondition: no entry has this number.
  WindowEntry& add(wire::BatchPtr batch, wire::Names quarantine = {});
  /// Checks that the lifecycle has this edge.
  static void move(WindowEntry& entry, Stage to);

  /// The last of the batches that follow `committed` without a gap and are not refused.
  BatchNumber tail(BatchNumber committed) const;
  /// The newest batch that was handed to the runner, or `committed`.
  BatchNumber run_through(BatchNumber committed) const;
  BatchNumber executed_through(BatchNumber committed) const;

  void forget_through(BatchNumber number);
  /// Removes what is after `number` and returns its bundles, oldest first; of recovered batches
  /// there are none.
  std::vector<wire::BundlePtr> drop_after(BatchNumber number);
  /// A batch that an earlier process has run. Precondition: the one before it has run, too.
  WindowEntry& add_recovered(const RecoveredBatch& recovered);
  /// Running and executed batches are as if just received; recovered ones are gone.
  void forget_runs();

  size_t bytes() const { return bytes_; }
  static size_t bytes_of(const wire::Batch& batch);

 private:
  Entries::iterator erase(Entries::iterator entry);

  Entries entries_;
  size_t bytes_ = 0;  // of bundles
};

}  // namespace eve::execution
