// The executor's parts and what holds them together. The rules (E1 to E11) are in docs/protocol.md.
//
//   executor.cc           dispatch, time, status
//   executor_batches.cc   proposing, accepting, running, tokens        E1 E2 E3 E4
//   executor_verdicts.cc  verdicts, new views, commit, repair, restart E5 E6 E7 E10 E11
//   executor_clients.cc   bundles, replies, suspicion                  E8 E9
//   executor_change.cc    changes of the members, the end of an epoch  M2 M4 M7
//
// Where a batch stands is in the window; what is committed, in `committed`; the two never overlap.
// Invariants, beyond those of the parts:
//   - `committed` and `view` only grow.
//   - While a repair is active nothing of the window has been handed to the runner: the runner is,
//     or will be by the time its commands are carried out, at its last committed batch.
//   - `sent_tokens` holds every token sent in this view for a number that is not committed: a
//   second
//     run of a batch (after a repair) cannot send another one.
//   - Tokens are sent for batches of the current view only, and never while silent.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "execution/batch_window.h"
#include "execution/executor.h"
#include "execution/future_batches.h"
#include "execution/pending.h"
#include "execution/proposal_order.h"
#include "execution/repair.h"
#include "execution/session_mirror.h"
#include "execution/silence.h"
#include "execution/verdicts.h"

namespace eve::execution {

inline constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();

struct Executor::Impl {
  Impl(const ExecutorOptions& options_in, const crypto::Authenticator& authenticator_in,
       const crypto::Digester& digester_in);

  // ---- executor.cc ----
  void receive(const wire::BundleMessage& message, Address from, TimeUs now, Outbox& out);
  void receive(const wire::BatchMessage& message, Address from, TimeUs now, Outbox& out);
  void receive(const wire::Verdict& verdict, Address from, TimeUs now, Outbox& out);
  void receive(const wire::Welcome& welcome, Address from, TimeUs now, Outbox& out);
  void receive(const wire::StateRequest& request, Address from, TimeUs now, Outbox& out);
  void receive(const wire::StateReply& reply, Address from, TimeUs now, Outbox& out);
  /// Messages that no executor is sent.
  template <typename Other>
  void receive(const Other&, Address from, TimeUs, Outbox&) {
    refusals.add(from, "a message that no executor is sent");
  }
  void happened(const ViewEntered& event, TimeUs, Outbox&) { entered = event.view; }
  void happened(BatchExecuted& event, TimeUs now, Outbox& out);
  void happened(StateServed& event, TimeUs now, Outbox& out);
  void happened(FetchWants& event, TimeUs now, Outbox& out);
  void happened(Fetched& event, TimeUs now, Outbox& out);
  void happened(EpochEnded& event, TimeUs now, Outbox& out);
  void happened(EpochBegun&, TimeUs, Outbox&) {}
  /// What time alone brings about; every beat while something is outstanding.
  void beat(TimeUs now, Outbox& out);
  bool outstanding() const;
  void set_beat(TimeUs now);
  std::string waiting_for() const;

  uint16_t primary(View of) const {
    return static_cast<uint16_t>(of.value() % options.model.executors());
  }
  bool leads() const { return primary(view) == options.index; }
  /// It was primary of this view in an earlier process: what that proposed is not all known (E12).
  /// Or its disk does not keep up (E13).
  /// Its first Hello may be lost, as links are not up yet, and then nothing tells that it is
  /// behind.
  bool is_unanswered() const {
    return recovered_view && greeted.size() < options.model.agreement();
  }
  bool leads_no_more() const { return leads() && (recovered_view == view || !able_to_lead); }
  bool is_peer(Address from) const {
    return from.role == Role::kExecutor && from.index < options.model.executors() &&
           from.index != options.index;
  }
  /// Who may ask for state.
  bool may_ask(Address from) const {
    return from.role == Role::kExecutor && from.index != options.index &&
           from.index < options.model.executors() + std::max(options.helpers, options.guests);
  }
  /// Who is asked for state.
  bool is_holder(Address from) const {
    return from.role == Role::kExecutor && from.index != options.index &&
           from.index < options.model.executors() + options.helpers;
  }
  bool is_verifier(Address from) const {
    return from.role == Role::kVerifier && from.index < options.model.verifiers();
  }
  void send(std::vector<Address> to, wire::Message message, Outbox& out) const;

  // ---- executor_recovered.cc ----
  void recover(Recovered recovered, TimeUs now);
  void repeat_tokens(TimeUs now, Outbox& out);

  // ---- executor_change.cc ----
  void begin(const Fetched& state, TimeUs now);
  void stand_at(const Fetched& state);
  bool concerns(const wire::Bundle& change) const;
  std::string_view what_is_wrong_with_change(const wire::Batch& batch) const;
  bool waits_for_change(BatchNumber number) const;
  void end_if(Epoch reached, Outbox& out);
  void tell_end(TimeUs now, Outbox& out);

  // ---- executor_batches.cc ----
  bool may_propose() const;
  void propose(TimeUs now, Outbox& out);
  void accept(const wire::BatchPtr& batch, TimeUs now, Outbox& out);
  bool in_stretch(BatchNumber number) const;
  size_t stretch_bundles() const;
  bool in_reach(BatchNumber number) const;
  std::string_view what_is_wrong(const wire::Batch& batch, TimeUs now) const;
  bool authentic(const wire::Bundle& bundle) const;
  void refuse_batch(BatchNumber number, std::string_view reason);
  /// Hands the runner what it can run: in order, without gaps, up to a window beyond committed.
  void run_ready(Outbox& out);
  std::optional<crypto::Digest> sole_call(const wire::Batch& batch) const;
  void send_tokens(TimeUs now, Outbox& out);
  void resend(TimeUs now, Outbox& out);
  TimeUs time_of(BatchNumber number) const;

  // ---- executor_verdicts.cc ----
  void on_verdict(uint16_t verifier, const wire::Verdict& verdict, TimeUs now, Outbox& out);
  void enter_view(const wire::Verdict& start, TimeUs now, Outbox& out);
  /// Compares what ran with what is vouched for: commits, waits, or repairs.
  void settle(TimeUs now, Outbox& out);
  void commit_through(BatchNumber number, TimeUs now, Outbox& out);
  void await_missing(TimeUs now, Outbox& out);
  void begin_repair(TimeUs now, Outbox& out);
  void repair_to_newest(TimeUs now, Outbox& out);
  void check_repair(TimeUs now, Outbox& out);
  void commit_fetched(const Fetched& fetched, TimeUs now, Outbox& out);
  void committed_now(BatchNumber number, const crypto::Digest& token, const crypto::Digest& state,
                     TimeUs now);
  bool something_missing(TimeUs now) const;
  bool wants_back(TimeUs now) const;
  void say_hello(TimeUs now, Outbox& out);

  // ---- executor_clients.cc ----
  void take_bundle(const wire::BundleMessage& message, Address from, TimeUs now, Outbox& out);
  void forward(const wire::BundlePtr& bundle, bool retry, Outbox& out) const;
  void answer(const BundleReply& reply, bool with_payload, Outbox& out) const;
  void answer_batch(const WindowEntry& entry, Outbox& out);
  void answer_fetched(const std::vector<BundleReply>& replies, Outbox& out);
  void watch_new_primary(bool led, TimeUs now, Outbox& out);
  TimeUs patient(TimeUs wait) const;
  bool gives_up(TimeUs now) const;
  void suspect(TimeUs now, Outbox& out);

  const ExecutorOptions options;
  const crypto::Authenticator& authenticator;
  const crypto::Digester& digester;
  std::vector<Address> verifiers;
  std::vector<Address> others;  // executors but this one

  View view;
  View entered;                            // what comes of it may leave: the host keeps that view
  std::optional<View> recovered_view;      // that an earlier process was in
  std::set<uint16_t> greeted;              // verifiers that have answered since, until enough have
  bool able_to_lead = true;                // its disk keeps up
  BatchNumber start;                       // the view's start point
  wire::Names quarantine;                  // what the view answers without executing it
  bool ended = false;                      // the epoch has, with `committed`
  std::optional<wire::Evidence> evidence;  // of that
  TimeUs told_at;                          // verifiers, last
  size_t most_bundles = limits::kMaxBatchBundles;  // in a batch of the sequential stretch
  BatchNumber committed;
  TimeUs committed_time_us = 0;         // of the last committed batch
  TimeUs entered_at = 0;                // the view
  std::optional<TimeUs> first_took_us;  // from then until the view's first batch had run here
  BatchNumber fetched_number;           // the last that came by state transfer
  TimeUs progress_at = 0;               // when something was committed last
  uint64_t generation = 0;

  BatchWindow window;
  FutureBatches future;
  Verdicts verdicts;
  SessionMirror mirror;
  ProposalOrder order{mirror};
  Pending pending;
  Repair repair;
  Silence silence;

  struct SentToken {
    wire::MessagePtr message;
    TimeUs sent_at = 0;
  };
  std::map<BatchNumber, SentToken> sent_tokens;
  std::optional<BatchNumber> invalid_batch;  // the primary of this view sent one
  std::optional<TimeUs> missing_since;       // a batch that is known to be committed
  bool saw_higher_view = false;              // since the last Hello
  TimeUs hello_at;                           // when sent last, with what follows
  uint32_t fruitless_views = 0;  ///< in a row in which nothing beyond the start was committed
  uint32_t vain_views = 0;       ///< those of them that outlasted this executor's patience
  uint32_t unheard_views = 0;    ///< of those in a row in which no batch of the primary came
  bool heard = false;            ///< a batch of this view is here, or was
  bool gave_up = false;          ///< this view has outlasted this executor's patience
  TimeUs suspect_at;
  TimeUs beat_at = kNever;
  std::vector<size_t> serving;  // state requests of each executor at the runner

  std::deque<Committed> recent;
  Refusals refusals;
  std::map<Address, TimeUs>
      barred_until;         ///< who sent a forged bundle: its bundles are not checked
  ExecutorStatus counters;  // its sums; the rest is filled in by glance()
};

}  // namespace eve::execution
