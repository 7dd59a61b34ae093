// Filling an empty engine with a full state that comes in verified chunks (chunk_format.h), the
// other end of export.h: DESIGN 5.6, 6.5.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/scheduler.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "state/engine.h"
#include "state/node_format.h"
#include "state/slot_ranges.h"

namespace eve::state {

/// Brings an empty engine to the state with a given root. Chunks may come in any order, repeatedly,
/// from sources that lie; only the root is trusted. They go straight into the engine, so memory is
/// one copy of the state, a digest for each slot (which becomes the tree in the end) and one chunk.
/// Given up, or destroyed before finish(): the engine is empty, and usable, again.
///
/// Thread safety: none; one owner, as Engine's.
class Importer {
 public:
  /// Preconditions: `engine` has its tables and no slots, no batch is open; nobody else uses it
  /// until the import is finished or destroyed. `max_slots`: more than that are not believed.
  Importer(Engine& engine, const crypto::Digest& root, uint64_t max_slots = kMaxSlots);
  /// The state of another cluster, whose digester, not the engine's, proves chunks and root. Ends
  /// with finish_anew(). `proofs` must outlive this.
  Importer(Engine& engine, const crypto::Digest& root, const crypto::Digester& proofs);
  ~Importer();
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// Takes a chunk. Fails, saying why, and takes nothing, if it is not part of the state. What a
  /// chunk says to be held already counts only if it is.
  Status supply(ByteView chunk);

  /// Slots that no chunk has brought yet, in order, at most `limit` ranges: what to ask for
  /// (Exporter::chunk()). Before the first chunk: all that there may be.
  std::vector<SlotRange> missing(size_t limit) const;
  bool complete() const;

  /// Another version's root (the exporter was moved): leaves that are held stay, and count once a
  /// chunk of the new version says so.
  void retarget(const crypto::Digest& root);

  /// Hashes the state on `scheduler` and checks the root: last() == committed() == n. Fails without
  /// effect if something is missing; and if the leaves do not add up to the root, after which
  /// everything is missing again.
  Status finish(BatchNumber n, Scheduler& scheduler);

  /// Whether an object stays, by the name of its table and its key (empty: it has none).
  using Stays = std::function<bool(ByteView table, ByteView key)>;
  /// Makes of what was imported a state of its own: without the objects that do not stay, whose
  /// slots are free, and hashed with the engine's digester. last() == committed() == n. Fails
  /// without effect if something is missing. No object that stays may refer to one that does not.
  Status finish_anew(BatchNumber n, const Stays& stays, Scheduler& scheduler);

 private:
  struct Impl;
  explicit Importer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::state
