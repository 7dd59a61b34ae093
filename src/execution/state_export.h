// A committed state in chunks, each with the token of the batch that it is of, while later batches
// run (state/export.h). For checkpoints.
#pragma once

#include <cstddef>
#include <optional>

#include "crypto/digest.h"
#include "eve/bytes.h"
#include "execution/history.h"
#include "state/export.h"
#include "wire/messages.h"

namespace eve::execution {

/// Thread safety: as the Runner's; next() is for between commands. Destroying it lets go of the
/// history that only it needed.
class StateExport {
 public:
  struct Piece {
    wire::TokenParts parts;  ///< of the version that the chunk is of: a newer one at times
    crypto::Digest token;
    Bytes chunk;
    bool last = false;  ///< the version is whole
  };

  /// Both must outlive it.
  StateExport(state::Engine& engine, const History& history, BatchNumber number,
              size_t chunk_bytes);

  /// The next one. Nullopt: all were handed out, or another state was installed.
  std::optional<Piece> next();
  bool ended() const { return exporter_.ended(); }
  /// How often it had to go on with a newer version.
  uint64_t moved() const { return exporter_.moved(); }

 private:
  const History& history_;
  state::Exporter exporter_;
};

}  // namespace eve::execution
