// A full state as verified chunks (chunk_format.h), cut from one version while later batches run;
// the other end is import.h: DESIGN 5.6, 6.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "state/engine.h"
#include "state/pin.h"
#include "state/slot_set.h"

namespace eve::state {

/// One chunk, and the version that it is part of.
struct ExportedChunk {
  BatchNumber number;
  SlotRange slots;  ///< of which it brings the leaves
  Bytes bytes;
};

/// Cuts a version into chunks of one aligned subtree each: the largest ones of at most
/// `chunk_bytes`, path excluded, and single leaves where those are larger. Where they are cut
/// follows from the state alone, so sources of one version give the same chunks.
///
/// The version is pinned. If the pin has to be moved (pin.h), next() goes on with the newer version
/// from the start, saying "kept" of the leaves that it has handed out already and that are still
/// the same; the receiver is to be told the new root (Importer::retarget).
///
/// Thread safety: as Engine's owner part; next() and chunk() are for between batches. The engine
/// must outlive it.
class Exporter {
 public:
  /// If `n` is not held any more the export has ended() before it began.
  Exporter(Engine& engine, BatchNumber n, size_t chunk_bytes = limits::kTransferChunkBytes);

  /// The next one. Nullopt if all of number() has been handed out, or if it has ended().
  std::optional<ExportedChunk> next();
  /// The chunk of number() that begins with `slot`, whole: for a receiver that misses it. Nullopt
  /// if there is no such slot, or the export has ended().
  std::optional<ExportedChunk> chunk(uint64_t slot) const;

  bool ended() const { return !pin_ || pin_->ended(); }
  /// All of number() has been handed out: next() would give nullopt.
  bool done() const { return !ended() && done_ && pin_->number() == cut_from_; }
  /// The version that next() will cut from.
  BatchNumber number() const { return pin_ ? pin_->number() : BatchNumber(0); }
  /// Its root. Nullopt if it has ended().
  std::optional<crypto::Digest> root() const;
  /// How often the export had to go on with a newer version.
  uint64_t moved() const { return pin_ ? pin_->moved() : 0; }

 private:
  void catch_up();

  Engine& engine_;
  const size_t chunk_bytes_;
  std::optional<Pin> pin_;
  BatchNumber cut_from_;  ///< the version that `next_slot_` is about
  uint64_t next_slot_ = 0;
  bool done_ = false;
  SlotSet sent_;  ///< what the receiver should have, as of cut_from_
};

}  // namespace eve::state
