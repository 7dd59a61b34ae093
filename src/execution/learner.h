// Stands in for the Executor at a node that has no seat yet (docs/membership.md, M14): fetches what
// the executors of the present epoch have committed, and again after a while, so that the epoch in
// which the node gets a seat begins with a member that holds nearly all of the state. A state
// machine without I/O; the same commands and events as the Executor's.
//
//   asking --r+1 executors say the same of a newer batch--> fetching --fetched--> resting
//      ^                                                                             |
//      +---------------------------------- a pause ----------------------------------+
//
// Invariants: it proposes, runs and votes for nothing: all that it says is StateRequest. What it
// holds is committed: of r+1 executors that said so one does not lie. Each executor's words take
// bounded memory.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/refusals.h"
#include "crypto/digest.h"
#include "execution/commands.h"
#include "execution/executor.h"
#include "execution/repair.h"
#include "wire/messages.h"

namespace eve::execution {

struct LearnerOptions {
  FaultModel model{1, 0};
  TimeUs resend_after_us = 100'000;  ///< unanswered questions
  TimeUs pause_us = 1'000'000;       ///< between a state that was fetched and the next
};

/// For `eve status`; a value.
struct LearnerStatus {
  BatchNumber held;  ///< the state here; 0: none yet
  crypto::Digest token;
  crypto::Digest state_root;
  BatchNumber known;  ///< the newest that is known to be committed
  /// When what is held was the newest that was known; 0: never. It may be so still.
  TimeUs level_at = 0;
  bool fetching = false;
  uint64_t transfers = 0;
  uint64_t transfer_bytes = 0;
  uint64_t refused_messages = 0;
  std::string waiting_for;  ///< for a person: "" while it rests
};

class Learner {
 public:
  /// `digester` must outlive this.
  Learner(const LearnerOptions& options, const crypto::Digester& digester);

  /// Before start(), at most once: what is held already, and committed.
  void begin(const Fetched& state);
  /// Once, first.
  void start(TimeUs now, Outbox& out);
  /// A decoded message of the present epoch, from a seat of it that the host has authenticated.
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  void on_event(const Event& event, TimeUs now, Outbox& out);
  /// Called at or after deadline(); harmless at any other time.
  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;

  LearnerStatus status() const;
  const Refusals& refusals() const { return refusals_; }

 private:
  /// An executor's word that it has committed `number`.
  struct Claim {
    BatchNumber number;
    crypto::Digest token;
    crypto::Digest previous;
  };

  void ask(TimeUs now, Outbox& out);
  void hear(const wire::StateReply& reply, uint16_t executor, TimeUs now, Outbox& out);
  void claim(const Claim& claim, uint16_t executor, TimeUs now, Outbox& out);
  bool vouched(BatchNumber number, const crypto::Digest& token) const;
  void know(BatchNumber number, const crypto::Digest& token, TimeUs now, Outbox& out);
  void fetch_newest(TimeUs now, Outbox& out);
  void fetched(const Fetched& state, TimeUs now);

  const LearnerOptions options_;
  const crypto::Digester& digester_;
  Repair repair_;
  std::vector<std::deque<Claim>> claims_;  ///< by executor, the last ones
  BatchNumber known_;
  crypto::Digest known_token_;
  TimeUs known_at_ = 0;
  TimeUs target_known_at_ = 0;  ///< when the repair's target was the newest
  TimeUs ask_at_ = 0;
  TimeUs check_at_ = 0;    ///< the repair
  TimeUs rest_until_ = 0;  ///< fetch nothing
  LearnerStatus status_;   ///< in part: status() adds the rest
  Refusals refusals_;
};

}  // namespace eve::execution
