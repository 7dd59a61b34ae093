// Pins: readers that need a version to stay while later batches commit (DESIGN 5.6).
//
//   held at n --history past HistoryLimits::pinned_*--> held at the newest committed version
//      |                                                              (moved() counts)
//      +--install or import, rollback to before n, end of the engine--> ended
//
// A reader that was moved keeps what it has read of the leaves that take_changed() does not name.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "state/slot_set.h"

namespace eve::state {

class History;
class Store;

/// What a pin and its engine share.
struct PinState {
  Store* store = nullptr;  ///< null: ended
  BatchNumber number;
  uint64_t moved = 0;
  SlotSet changed;    ///< since the reader last asked, up to `number`
  SlotSet since;      ///< after `number`, up to `noted`
  BatchNumber noted;  ///< a committed batch, or `number`
};

/// Keeps one version of an engine readable. Move-only; may outlive its engine. Destroying it lets
/// go of the history that nobody else needs.
///
/// Thread safety: as Engine's owner part.
class Pin {
 public:
  explicit Pin(std::shared_ptr<PinState> state) : state_(std::move(state)) {}
  Pin(Pin&&) noexcept = default;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

  /// The version that is kept. It changes only within Engine::commit(), and only to a newer one.
  BatchNumber number() const { return state_->number; }
  /// How often it was moved.
  uint64_t moved() const { return state_->moved; }
  /// The version is gone for good: another state was installed, or its batch was rolled back.
  bool ended() const { return state_->store == nullptr; }
  /// The slots whose leaves may differ between the version at the last call (or at the start) and
  /// number(); all others are the same.
  SlotSet take_changed();

 private:
  void release();
  std::shared_ptr<PinState> state_;
};

/// The pins of one engine. Not thread-safe.
class Pins {
 public:
  std::shared_ptr<PinState> add(Store& store, BatchNumber n);
  void remove(const PinState& pin);
  bool hold(BatchNumber n) const;
  /// Notes what the batches up to `committed` have touched. At every commit, which takes a part of
  /// what its batches took: at once, when a pin moves, it would be a pause of a thousand batches.
  void note(const History& history, BatchNumber committed);
  /// Moves the pins at `from` to `to`, up to which note() was told.
  void move(BatchNumber from, BatchNumber to);
  /// Ends the pins of versions after `n`.
  void end_after(BatchNumber n);
  void end_all();

 private:
  std::vector<std::shared_ptr<PinState>> pins_;
};

}  // namespace eve::state
