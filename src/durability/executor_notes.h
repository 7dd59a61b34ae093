// What an executor keeps: the commands of its Runner, in the order in which they were carried out.
// A run is kept as the difference that it made, for threads may have raced to it; a fetch as what
// peers have sent. Carried out again they lead to the same state (executor_recovery.h).
//
//   note = kind, number (where there is one: of the batch, or the view), payload
//
// The format of the payloads is pinned by golden bytes in executor_notes_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "durability/keeper.h"
#include "eve/result.h"
#include "execution/commands.h"

namespace eve::durability {

enum class ExecutorNote : uint16_t {
  kBegan = 1,     ///< the log's first: which service and digest the states are of
  kView = 2,      ///< number: the view; it was entered
  kPiece = 3,     ///< number: the batch; the next piece of its difference, when that is large
  kRun = 4,       ///< number: the batch; RunNote, and the last piece of the difference
  kCommit = 5,    ///< number: up to where
  kRollback = 6,  ///< number: back to where
  kFetch = 7,     ///< number: of the state; its token's parts
  kSupply = 8,    ///< what a peer sent for the fetch, and failed to send
  kEpoch = 9,     ///< number: the epoch; it was entered, so view 0 of it
};

/// Pieces of a difference are so long.
inline constexpr size_t kPieceBytes = size_t{4} << 20;

/// The head of a bundle that a batch held, and the answer to it.
struct AnsweredBundle {
  wire::BundleKind kind = wire::BundleKind::kCall;
  RequestNumber acknowledged;
  uint32_t requests = 0;
  execution::BundleReply reply;
  bool cached = false;  ///< the payload is in the state's reply cache, and not in the note
};

/// A batch that was run.
struct RunNote {
  View view;
  TimeUs time_us = 0;
  wire::TokenParts parts;
  uint32_t requests = 0;
  uint32_t failed = 0;
  uint32_t quarantined = 0;
  std::vector<AnsweredBundle> bundles;
};

Note note_of_genesis(const crypto::Digest& genesis);
Note note_of(const execution::EnterView& command);
Note note_of(const execution::CommitBatches& command);
Note note_of(const execution::RollbackTo& command);
Note note_of(const execution::StartFetch& command);
Note note_of(const execution::SupplyFetch& command);
Note note_of(Epoch epoch);
Note piece_note(BatchNumber number, Bytes piece);
Note note_of(const RunNote& run, ByteView last_piece);

// From the bytes of a note: checked by the log's sums, but perhaps of another release's making. An
// error says what is wrong.
Result<crypto::Digest> read_genesis(ByteView payload);
Result<execution::EnterView> read_view(uint64_t number, ByteView payload);
Result<execution::StartFetch> read_fetch(ByteView payload);
Result<execution::SupplyFetch> read_supply(ByteView payload, const crypto::Digester& digester);
Result<Epoch> read_epoch(uint64_t number, ByteView payload);

/// What the notes before a place said that those after it rest on.
struct LogContext {
  Epoch epoch;
  execution::EnterView view;  ///< of that epoch
};
/// As a checkpoint has it. One that names no epoch is of the first.
Bytes context_of(const LogContext& context);
Result<LogContext> read_context(ByteView context);
struct RunRead {
  RunNote run;
  ByteView last_piece;  ///< into the payload
};
Result<RunRead> read_run(ByteView payload);

}  // namespace eve::durability
