// What the Executor (protocol, no I/O) asks of the Runner (state and service, on threads), and what
// comes back. Hosts carry both: in runtime/ through a queue to the execution thread, in sim/ at
// once. Commands are carried out in the order they were given; every command that names an event
// has exactly one, but for runs that a later command undoes before they begin (CommandQueue).
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::execution {

/// How a batch runs: mixed on all workers, or one request after the other in the batch's order.
enum class RunMode : uint8_t { kParallel, kSequential };

/// -> BatchExecuted. `generation` comes back with the event: after a Rollback, or an installed
/// fetch, the executor counts up and ignores events of earlier generations; the runner skips
/// (answers nothing to) batches whose number is not the next one.
struct RunBatch {
  uint64_t generation = 0;
  wire::BatchPtr batch;
  RunMode mode = RunMode::kParallel;
  wire::Names quarantine{};  ///< what the batch's view answers without executing it (R1)
};

/// Everything up to `number` is final. No event.
struct CommitBatches {
  BatchNumber number;
};

/// Back to the state after `number`. No event.
struct RollbackTo {
  BatchNumber number;
};

/// -> ViewEntered. View `view` begins at `start`: what the executor runs from now on is of this
/// view. The runner has nothing to do; hosts keep it, where they keep what must not be forgotten
/// (src/durability), before they pass on the event.
struct EnterView {
  View view;
  BatchNumber start;
  wire::Names quarantine;
};

/// -> StateServed. A peer asks for nodes.
struct ServeState {
  Address peer;
  wire::StateRequest request;
};

/// -> FetchWants or Fetched. Rolls back to the last committed batch and starts to fetch the state
/// of batch `parts.number`; or, if a fetch is under way, goes on with the new target.
struct StartFetch {
  wire::TokenParts parts;
};

/// -> FetchWants or Fetched. What a peer sent, and nodes that a peer failed to send.
struct SupplyFetch {
  Address peer;
  wire::StateReply reply;
  std::vector<TreeNode> failed;
};

/// -> EpochEnded, if the state is that of `number` and changed its epoch there.
struct EndEpoch {
  BatchNumber number;
};

/// -> EpochBegun. What ran here as batch `start`, and led to `token`, is committed: the link of the
/// epoch proves it. Rolls back what is not, and gives up a fetch: what follows is of another
/// Executor, that of this epoch (M7). Hosts keep it before they pass on the event.
struct BeginEpoch {
  Epoch epoch;
  BatchNumber start{};
  crypto::Digest token{};
};

using Command = std::variant<RunBatch, CommitBatches, RollbackTo, EnterView, ServeState, StartFetch,
                             SupplyFetch, EndEpoch, BeginEpoch>;

struct ViewEntered {
  View view;
};

/// The answer to one bundle of a batch, ready to be sent when the batch is committed.
struct BundleReply {
  uint16_t client = 0;
  SessionId session;  ///< as in the bundle (0 for one that opens a session)
  RequestNumber first;
  wire::ReplyStatus status = wire::ReplyStatus::kExecuted;
  crypto::Digest digest;
  SharedBytes payload;
};

struct BatchExecuted {
  uint64_t generation = 0;
  wire::TokenParts parts;
  crypto::Digest token;
  std::vector<BundleReply> replies;  ///< in the order of the batch's bundles
  uint32_t requests = 0;             ///< how many were executed
  uint32_t parallel_batches = 0;
  uint32_t failed = 0;       ///< requests whose execution threw
  uint32_t quarantined = 0;  ///< requests answered without being executed
  Bytes failure;             ///< what the first of them threw; for people, not replicated
  TimeUs busy_us = 0;        ///< wall time it took, by the host's clock; not replicated
};

struct StateServed {
  Address peer;
  wire::StateReply reply;
};

/// The fetch needs these nodes (none: it waits for those asked for). `refused` counts nodes of the
/// last supply that were not what was asked for.
struct FetchWants {
  std::vector<TreeNode> nodes;
  uint32_t refused = 0;
};

/// A session as of a committed batch: what the executor mirrors to answer retries.
struct SessionSnapshot {
  uint16_t client = 0;
  SessionId session;
  RequestNumber opened_with;         ///< the nonce
  RequestNumber next;                ///< number of the next request
  std::vector<BundleReply> replies;  ///< the opening's, then unacknowledged ones, oldest first
};

/// The state of batch `number`, with token `token`, is installed and committed.
struct Fetched {
  wire::TokenParts parts;
  crypto::Digest token;
  TimeUs last_time_us = 0;
  std::vector<SessionSnapshot> sessions;
  Epoch epoch{};  ///< of the state
};

/// What proves that the epoch ended with batch `evidence.parts.number` (docs/membership.md, M4).
struct EpochEnded {
  wire::Evidence evidence;
};

/// What the Executor of this epoch begins with. For hosts: Executors do not see it.
struct EpochBegun {
  Epoch epoch;
  Fetched state;
};

using Event = std::variant<ViewEntered, BatchExecuted, StateServed, FetchWants, Fetched, EpochEnded,
                           EpochBegun>;

}  // namespace eve::execution
