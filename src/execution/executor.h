// The executor's side of the protocol (DESIGN 6.1, 6.3, 6.4, 6.5): receives bundles, proposes
// batches when it is the primary, has batches run, sends tokens, acts on verdicts, answers clients.
// A state machine without I/O: every method takes the time and fills an Outbox.
//
// The life of a batch here:
//
//   received -> running -> executed --(r+1 commit verdicts, own token equal)--> committed
//                   \          \------(r+1 commit verdicts, other token)------> fetch -> committed
//                    \---------------(r+1 rollback verdicts)------------------> dropped
//
// Invariants: a reply leaves only for a committed batch; at most one token is ever sent for a
// (view, number); nothing at or below the last committed number is undone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/refusals.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "execution/commands.h"
#include "execution/recovered.h"
#include "wire/messages.h"

namespace eve::execution {

/// Why a batch is refused that may be nobody's fault: a clock is wrong, or it was long on its way.
inline constexpr std::string_view kFarFromClock = "a batch whose time is far from the clock here";

struct ExecutorOptions {
  FaultModel model{1, 0};
  uint16_t index = 0;
  uint16_t clients = 0;  ///< how many client identities the cluster knows
  /// The process had served before and lost its memory: silent until a view newer than any that
  /// u+r+1 verifiers report (DESIGN 6.8).
  bool restarted = false;
  Epoch epoch;        ///< docs/membership.md
  BatchNumber start;  ///< where the epoch begins; 0 in the first
  /// The token of `start`: for 0 wire::genesis_token of the state it begins with.
  crypto::Digest genesis;
  TimeUs genesis_time_us = 0;  ///< batches are later than that
  /// Executors beyond the model's who are asked for state, and may ask: index executors() and up.
  /// They count for nothing else (M10).
  uint16_t helpers = 0;
  /// Likewise, who may ask and is not asked (M14): indexes below executors() + guests. Where the
  /// members change that is two: who has left, and who is about to come (membership::kGuests).
  uint16_t guests = 0;
  TimeUs suspect_after_us = 400'000;  ///< a forwarded retry not committed by then
  TimeUs resend_after_us = 100'000;   ///< uncommitted batches and tokens, unanswered questions
  size_t pipeline = 2;  ///< batches that a primary keeps in flight unless full ones wait
};

struct Outbox {
  std::vector<wire::Send> sends;
  std::vector<Command> commands;
};

/// For `eve status` and checkers; a value.
struct ExecutorStatus {
  View view;
  uint16_t primary = 0;
  BatchNumber committed;
  crypto::Digest token;       ///< of the last committed batch
  crypto::Digest state_root;  ///< of the last committed batch
  BatchNumber executed;
  bool silent = false;
  bool fetching = false;
  bool ended = false;       ///< the epoch has: nothing follows `committed` in it (M4)
  std::string waiting_for;  ///< for a person: "", "batch 17 from executor-1", ...
  uint64_t commits = 0;
  uint64_t rollbacks = 0;  ///< times that executed batches were undone by a new view
  uint64_t repairs = 0;    ///< times the own token differed from the committed one
  uint64_t transfers = 0;  ///< states fetched
  uint64_t transfer_bytes = 0;
  uint64_t requests = 0;              ///< committed
  uint64_t failed_requests = 0;       ///< committed ones whose execution threw
  std::string last_failure;           ///< what one of them threw
  uint64_t quarantined_requests = 0;  ///< committed ones that were answered, not executed (R1)
  uint64_t batches_sequential = 0;
  uint64_t parallel_batches = 0;
  uint64_t refused_messages = 0;  ///< malformed, unauthentic or out of place
  TimeUs busy_us = 0;
};

/// What others have given this executor to keep (docs/protocol.md, Bounds); a value.
struct ExecutorLoad {
  size_t pending_bundles = 0;
  size_t pending_of_one_client = 0;  ///< of the one that has most
  size_t window_batches = 0;
  size_t window_bundles = 0;
  BatchNumber window_end;  ///< the highest number of them; 0: none
};

class Executor {
 public:
  Executor(const ExecutorOptions& options, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester);
  ~Executor();

  /// Before start(), at most once: what an earlier process had come to. With options.restarted it
  /// is the committed part of that only, and the executor is silent as one that lost its memory.
  void recover(Recovered recovered, TimeUs now);
  /// Instead of recover(): the epoch begins with the state that this executor holds (M7). It may be
  /// older than the epoch's start.
  void begin(const Fetched& state, TimeUs now);
  /// Once, first.
  void start(TimeUs now, Outbox& out);
  /// A decoded message whose sender's identity the host has authenticated.
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  void on_event(Event event, TimeUs now, Outbox& out);
  /// Called at or after deadline(); harmless at any other time.
  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;
  /// Whether the host's disk keeps up; true until it says otherwise. While it does not, this
  /// executor leads no view (E13).
  void may_lead(bool able, TimeUs now, Outbox& out);
  /// The host has handed over all that had arrived: a primary proposes what has gathered.
  void idle(TimeUs now, Outbox& out);

  ExecutorStatus status() const;
  /// status() but for waiting_for, which takes longer to find than many a step: for hosts that look
  /// after each.
  ExecutorStatus glance() const;
  ExecutorLoad load() const;
  /// Who sent what was refused.
  const Refusals& refusals() const;
  /// What proves that the epoch has ended, once the runner has said it.
  const std::optional<wire::Evidence>& evidence() const;
  /// Tokens of the last committed batches, oldest first, at most limits::kHistoryBatches.
  struct Committed {
    BatchNumber number;
    crypto::Digest token;
    crypto::Digest state_root;
  };
  std::vector<Committed> recent() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::execution
