// The replica's parts and what holds them together. The rules (P1 to P14) are in
// docs/primary-backup.md.
//
//   replica.cc          dispatch, time, status
//   replica_record.cc   the record: questions, forming, alone, promotion, readmission  P1 P2 P5-P9
//   replica_resumed.cc  a start with what an earlier process has left                 P13 P14
//   replica_terms.cc    terms: opening, joining, divergence, repair                   P3 P10 P11
//   replica_batches.cc  proposing, accepting, running, tokens, commits, clients       P4 E1-E3 E8
//
// Invariants, beyond those of the parts:
//   - `committed` and `record.epoch` only grow.
//   - While a repair is active nothing of the window has been handed to the runner.
//   - `joined` only in a term of record.epoch; who leads it has `joined` too.
//   - `peer_tokens` are of the term that this replica leads.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "base/limits.h"
#include "execution/batch_window.h"
#include "execution/pending.h"
#include "execution/proposal_order.h"
#include "execution/repair.h"
#include "execution/session_mirror.h"
#include "pair/replica.h"
#include "pair/watch.h"

namespace eve::pair {

using execution::BatchWindow;
using execution::Stage;
using execution::WindowEntry;
using wire::PairPoint;
using wire::PairTerm;

inline constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();

struct Replica::Impl {
  Impl(const ReplicaOptions& options_in, const crypto::Authenticator& authenticator_in,
       const crypto::Digester& digester_in);

  // ---- replica.cc ----
  void receive(const wire::BundleMessage& message, Address from, TimeUs now, Outbox& out);
  void receive(const wire::PairBeat& beat, Address from, TimeUs now, Outbox& out);
  void receive(const wire::PairBatch& message, Address from, TimeUs now, Outbox& out);
  void receive(const wire::PairToken& token, Address from, TimeUs now, Outbox& out);
  void receive(const wire::StateRequest& request, Address from, TimeUs now, Outbox& out);
  void receive(const wire::StateReply& reply, Address from, TimeUs now, Outbox& out);
  template <typename Other>
  void receive(const Other&, Address from, TimeUs, Outbox&) {
    refusals.add(from, "a message that no executor of a pair is sent");
  }
  /// Two replicas have no members to change.
  void happened(const execution::EpochEnded&, TimeUs, Outbox&) {}
  void happened(const execution::EpochBegun&, TimeUs, Outbox&) {}
  void happened(execution::BatchExecuted& event, TimeUs now, Outbox& out);
  void happened(execution::StateServed& event, TimeUs now, Outbox& out);
  void happened(execution::FetchWants& event, TimeUs now, Outbox& out);
  void happened(execution::Fetched& event, TimeUs now, Outbox& out);
  /// Nobody here tells the runner of views.
  void happened(execution::ViewEntered&, TimeUs, Outbox&) {}
  void after_fetch(TimeUs now, Outbox& out);
  void wake(TimeUs now, Outbox& out);
  void work(TimeUs now, Outbox& out);
  std::string waiting_for() const;
  bool is_peer(Address from) const { return from == Address::executor(other); }
  void send_peer(wire::Message message, Outbox& out) const;

  // ---- replica_record.cc ----
  bool named() const { return names(record, options.index, options.life); }
  /// Named, and not only by what was before this process.
  bool in_step() const { return named() && !resumed; }
  bool leads() const { return named() && primary_of(record) == options.index; }
  /// Leads, and may do as if.
  bool serving() const { return leads() && joined && !watch.in_doubt() && !conflict; }
  bool needs_peer() const;
  bool peer_gone(TimeUs now) const;
  bool peer_of_another_life() const;
  bool stuck(TimeUs now) const;
  bool released(TimeUs now) const;
  void send_beat(TimeUs now, Outbox& out);
  bool meet(const wire::PairBeat& beat, TimeUs now);
  void meet_anew(const wire::PairBeat& beat, TimeUs now);
  void adopt(const Record& next, bool keep, TimeUs now, Outbox& out);
  bool is_news(const Record& said) const;
  bool copy_is_lost() const;
  void ask(const Record& wanted, Outbox& out);
  void decide(TimeUs now, Outbox& out);
  void decide_as_primary(TimeUs now, Outbox& out);
  void read_record(TimeUs now, Outbox& out);
  Record record_with(bool both) const;

  // ---- replica_resumed.cc ----
  void recover(execution::Recovered recovered);
  bool may_not_lead_yet() const;
  bool both_resumed() const;
  void decide_as_resumed(TimeUs now, Outbox& out);

  // ---- replica_terms.cc ----
  void lead_if_ready(TimeUs now, Outbox& out);
  PairPoint base() const;
  void open_round(const PairPoint& from, TimeUs now, Outbox& out);
  void open_term(PairTerm next, const PairPoint& from, TimeUs now, Outbox& out);
  void follow(const wire::PairBeat& beat, TimeUs now, Outbox& out);
  void join(const wire::PairBeat& beat, TimeUs now, Outbox& out);
  void peer_reached(const PairPoint& point, TimeUs now, Outbox& out);
  void send_window(TimeUs now, Outbox& out);
  void compare_history(const PairPoint& point);
  void restart_term(const wire::PairBeat& beat, TimeUs now, Outbox& out);
  void diverged(BatchNumber number, TimeUs now, Outbox& out);
  bool quarantine_alone(const WindowEntry& failed);
  void claim(const PairPoint& point, TimeUs now, Outbox& out);
  void await_missing(TimeUs now, Outbox& out);
  void begin_repair(TimeUs now, Outbox& out);
  void check_repair(TimeUs now, Outbox& out);
  void commit_fetched(const execution::Fetched& fetched, TimeUs now, Outbox& out);
  void stop_repair(Outbox& out);

  // ---- replica_batches.cc ----
  bool may_propose() const;
  void propose(TimeUs now, Outbox& out);
  bool in_stretch(BatchNumber number) const;
  void accept(const wire::BatchPtr& batch, TimeUs now, Outbox& out);
  bool in_reach(BatchNumber number) const;
  std::string_view what_is_wrong(const wire::Batch& batch) const;
  void look_at_time(const wire::Batch& batch, TimeUs now);
  TimeUs time_of(BatchNumber number) const;
  void run_ready(Outbox& out);
  void send_batch(WindowEntry& entry, TimeUs now, Outbox& out);
  void send_token(const WindowEntry& entry, Outbox& out) const;
  void resend(TimeUs now, Outbox& out);
  void note_waiting(TimeUs now);
  PairPoint committed_point() const { return {committed, recent.back().token}; }
  PairPoint reached_point() const;
  /// Commits what may be, in order, and finds out what cannot.
  void settle(TimeUs now, Outbox& out);
  void settle_as_primary(TimeUs now, Outbox& out);
  void settle_as_backup(TimeUs now, Outbox& out);
  void commit_through(BatchNumber number, Outbox& out);
  void committed_now(BatchNumber number, const crypto::Digest& token, const crypto::Digest& state);
  void answer_batch(const WindowEntry& entry, Outbox& out);
  void answer(const execution::BundleReply& reply, Outbox& out) const;
  void take_bundle(const wire::BundleMessage& message, Address from, TimeUs now, Outbox& out);

  const ReplicaOptions options;
  const uint16_t other;
  const crypto::Authenticator& authenticator;
  const crypto::Digester& digester;

  Record record;
  std::optional<Request> asked;  ///< the arbiter has not answered
  TimeUs read_at = 0;            ///< when the record was asked for without a wish to change it
  Watch watch;
  bool conflict = false;
  bool resumed = false;  ///< P14
  View found_epoch;      ///< of the record with which this process started

  /// What the other one has said of itself.
  struct Peer {
    uint64_t life = 0;  ///< 0: nothing yet
    uint64_t process = 0;
    TimeUs met_at = 0;
    TimeUs beat = 0;  ///< its time
    Record record;
    bool resumed = false;
    BatchNumber committed;
    BatchNumber reached;
    bool joined = false;  ///< the term that is led here
  };
  Peer peer;
  TimeUs heard_beat = 0;  ///< of the last one that came, of whatever process: what beats echo
  uint64_t heard_process = 0;
  uint64_t peer_was = 0;  ///< the other's life in the last record that named it

  PairTerm term;
  bool joined = false;
  PairPoint start;
  wire::Names quarantine;
  wire::Names settled_names;                       ///< of them, those whose bundles are committed
  size_t most_bundles = limits::kMaxBatchBundles;  // in a batch of the stretch
  bool readmitting = false;                        ///< commits wait for the returner's tokens
  BatchNumber readmitted_from;                     ///< which they do not before it has this one
  std::map<BatchNumber, crypto::Digest> peer_tokens;
  BatchNumber peer_level;  ///< the highest number at which the other's token was this one's
  BatchNumber told;        ///< the last commit that the other one was told of

  BatchNumber committed;
  TimeUs committed_time_us = 0;
  uint64_t generation = 0;
  BatchWindow window;
  std::map<BatchNumber, crypto::Digest> claims;  ///< a backup: what the primary has committed
  std::optional<TimeUs> missing_since;
  BatchNumber waiting_number;  ///< run here, not committed; 0: none
  TimeUs waiting_since = 0;
  execution::SessionMirror mirror;
  execution::ProposalOrder order{mirror};
  execution::Pending pending;
  execution::Repair repair;
  bool fetch_stopped = false;  ///< and the runner has not been told yet
  size_t serving_state = 0;    ///< questions at the runner

  TimeUs work_at = 0;
  std::deque<execution::Executor::Committed> recent;
  Refusals refusals;
  ReplicaStatus counters;
};

}  // namespace eve::pair
