// What a batch has changed, out of the engine that executed it and into one that did not: the log's
// side of the state (DESIGN 6.8). delta_format.h has the bytes.
//
// A delta is a function of the states before and after its batch, the same on every replica. It is
// read when the batch is sealed, committed or not, for as long as history has it. Applying one is
// what executing its batch is: the batch is sealed, may be rolled back, read as of, and committed,
// and the next one goes on as on the replica that executed.
//
// Thread safety: as Engine's owner part; no batch may be open.
#pragma once

#include <cstddef>
#include <memory>

#include "base/ids.h"
#include "base/scheduler.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "state/engine.h"

namespace eve::state {

/// Reads the delta of a sealed batch, piece by piece: a batch may change more than fits a buffer.
class DeltaSource {
 public:
  /// `engine` must outlive this. Batches may be executed, and later ones rolled back, in between.
  DeltaSource(const Engine& engine, BatchNumber n);
  ~DeltaSource();

  /// The next bytes, at most `limit` (> 0); empty: that was all. Fails if the batch is not held:
  /// not sealed yet, rolled back, or older than history. Memory: `limit` and the largest object.
  Result<Bytes> next(size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Takes the delta of batch `n` and applies it. The bytes are untrusted: an error, which is final,
/// says what is wrong, and nothing of the engine has changed. They are checked against the root
/// that they name. Whether it is that of the batch's token is the caller's to compare, at once:
/// what somebody has made up need not be a state (references may be left to objects that it takes
/// away), and is only good for being rolled back. Memory: the values that the batch writes and the
/// keys that it adds.
class DeltaSink {
 public:
  /// `engine` must outlive this, and is not to be changed by others until this has finished.
  DeltaSink(Engine& engine, BatchNumber n);
  ~DeltaSink();
  DeltaSink(const DeltaSink&) = delete;
  DeltaSink& operator=(const DeltaSink&) = delete;

  /// Takes the next bytes, cut anywhere.
  Status supply(ByteView piece);
  /// Changes the engine and hashes what has changed on `scheduler`; then last() == n, and root() is
  /// what the delta says.
  Status finish(Scheduler& scheduler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::state
