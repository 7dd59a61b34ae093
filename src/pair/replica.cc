#include "pair/replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "pair/replica_impl.h"

namespace eve::pair {
namespace {

using execution::BatchExecuted;
using execution::Fetched;
using execution::FetchWants;
using execution::StateServed;

// Questions of the other one that may wait for the runner: it has one at a time on its way, and may
// repeat it.
constexpr size_t kMaxServing = 4;

}  // namespace

Replica::Impl::Impl(const ReplicaOptions& options_in, const crypto::Authenticator& authenticator_in,
                    const crypto::Digester& digester_in)
    : options(options_in),
      other(other_than(options_in.index)),
      authenticator(authenticator_in),
      digester(digester_in),
      record(options_in.record),
      watch(options_in.silence_us),
      pending(options_in.suspect_after_us),
      repair(FaultModel::primary_backup(), options_in.index, options_in.resend_after_us,
             digester_in) {
  EVE_CHECK(options.index < 2 && options.life != 0 && options.process != 0,
            "one of two, with a life");
  peer_was = record.lives.at(other);
  found_epoch = record.epoch;
  committed_time_us = options.genesis_time_us;
  recent.push_back({BatchNumber(), options.genesis, {}});
}

void Replica::Impl::send_peer(wire::Message message, Outbox& out) const {
  out.sends.push_back(
      {{Address::executor(other)}, std::make_shared<const wire::Message>(std::move(message))});
}

// ---- Messages ----------------------------------------------------------------------------------

void Replica::Impl::receive(const wire::BundleMessage& message, Address from, TimeUs now,
                            Outbox& out) {
  const bool own = from == Address::client(message.bundle->client);
  if (message.bundle->client >= options.clients || (!own && !is_peer(from))) {
    refusals.add(from, "a bundle of another client");
    return;
  }
  take_bundle(message, from, now, out);
}

void Replica::Impl::receive(const wire::PairBeat& beat, Address from, TimeUs now, Outbox& out) {
  if (!is_peer(from)) {
    refusals.add(from, "a beat of a stranger");
    return;
  }
  const uint64_t known = peer.process;
  if (!meet(beat, now)) return;
  if (joined && peer.process != known) restart_term(beat, now, out);
  if (is_news(beat.record)) adopt(beat.record, true, now, out);
  const bool answers = beat.echo_of == options.process && beat.record.epoch <= record.epoch;
  if (answers) watch.answered(beat.echo);
  if (leads()) {
    lead_if_ready(now, out);
    if (!joined || !beat.joined || beat.term != term) return;
    if (!peer.joined) {
      compare_history(beat.committed);
      send_window(now, out);
    }
    peer_reached(beat.reached, now, out);
  } else if (formed(record)) {
    follow(beat, now, out);
  }
}

void Replica::Impl::receive(const wire::PairBatch& message, Address from, TimeUs now, Outbox& out) {
  if (!is_peer(from)) {
    refusals.add(from, "a batch of a stranger");
    return;
  }
  if (leads() || !joined || message.term != term) return;  // late, or early: it comes again
  // The commit first: how far a batch may be ahead is counted from it.
  claim(message.committed, now, out);
  accept(message.batch, now, out);
}

void Replica::Impl::receive(const wire::PairToken& token, Address from, TimeUs now, Outbox& out) {
  if (!is_peer(from)) {
    refusals.add(from, "a token of a stranger");
    return;
  }
  if (!leads() || !joined || token.term != term) return;
  peer_reached(token.reached, now, out);
}

void Replica::Impl::receive(const wire::StateRequest& request, Address from, TimeUs, Outbox& out) {
  if (!is_peer(from)) {
    refusals.add(from, "a state request of a stranger");
    return;
  }
  if (serving_state >= kMaxServing) {
    refusals.overflow();
    return;
  }
  ++serving_state;
  out.commands.push_back(execution::ServeState{from, request});
}

void Replica::Impl::receive(const wire::StateReply& reply, Address from, TimeUs now, Outbox& out) {
  if (!is_peer(from) || !repair.on_reply(reply, from.index, now, out)) {
    refusals.add(from, "state that was not asked for, or is not what the token says");
  }
}

// ---- Events of the runner ----------------------------------------------------------------------

void Replica::Impl::happened(BatchExecuted& event, TimeUs now, Outbox& out) {
  WindowEntry* entry = window.find(event.parts.number);
  const bool current =
      entry != nullptr && entry->stage == Stage::kRunning && entry->generation == event.generation;
  if (!current) return;  // dropped meanwhile
  EVE_CHECK(event.parts.batch == entry->batch->digest, "the runner ran the batch it was given");
  EVE_CHECK(event.replies.size() == entry->batch->bundles.size(), "one reply a bundle");
  BatchWindow::move(*entry, Stage::kExecuted);
  entry->result = std::move(event);
  entry->sent_at = now;
  if (!leads() && joined) send_token(*entry, out);
  settle(now, out);
}

void Replica::Impl::happened(StateServed& event, TimeUs, Outbox& out) {
  EVE_CHECK(serving_state > 0, "the runner answers each question once");
  --serving_state;
  send_peer(std::move(event.reply), out);
}

void Replica::Impl::happened(FetchWants& event, TimeUs now, Outbox& out) {
  if (repair.on_wants(event, now, out)) {
    refusals.add(Address::executor(other), "nodes of the state that do not match the token");
  }
  after_fetch(now, out);
}

void Replica::Impl::happened(Fetched& event, TimeUs now, Outbox& out) {
  repair.on_fetched(event.parts.number);
  if (event.parts.number > committed) commit_fetched(event, now, out);
  after_fetch(now, out);
}

// What kept a new primary waiting is over.
void Replica::Impl::after_fetch(TimeUs now, Outbox& out) {
  if (!leads()) return;
  stop_repair(out);
  lead_if_ready(now, out);
}

// ---- Time --------------------------------------------------------------------------------------

// P9. Whoever was away knows nothing of what the other one did meanwhile.
void Replica::Impl::wake(TimeUs now, Outbox& out) {
  if (!watch.wake(now)) return;
  waiting_number = BatchNumber();
  if (!options.arbiter && names_both(record) && named()) {
    ++counters.doubts;
    watch.doubt(now);
  }
  send_beat(now, out);
}

void Replica::Impl::work(TimeUs now, Outbox& out) {
  pending.expire(now);
  note_waiting(now);
  resend(now, out);
  check_repair(now, out);
  await_missing(now, out);
}

std::string Replica::Impl::waiting_for() const {
  const std::string peer_name = to_string(Address::executor(other));
  if (conflict) return "a new start: it had committed what the other one has not";
  const bool reads = asked && asked->wanted == asked->expected;
  if (asked && !reads && options.arbiter) return "the arbiter";
  if (!formed(record)) {
    return peer_name + (reached_point().number == BatchNumber()
                            ? ", to form the cluster"
                            : ": it has a state, and no record of who is in sync");
  }
  if (watch.in_doubt()) return peer_name + ": it was away, and must hear who leads";
  if (named() && resumed) return peer_name + ": it has restarted, and the other may have gone on";
  if (repair.active()) return repair.waiting_for();
  if (leads()) {
    if (!joined) return "word that " + peer_name + " does not lead";
    return needs_peer() && waiting_number > BatchNumber()
               ? "the token of " + peer_name + " for batch " +
                     std::to_string(waiting_number.value())
               : "";
  }
  const uint16_t leader = primary_of(record);
  const bool lost =
      leader == options.index || (peer.life != 0 && peer.life != record.lives[leader]);
  if (lost && !named()) return "a state: the record names lives that have ended";
  if (!joined) return to_string(Address::executor(leader));
  return "";
}

// ---- The public face ---------------------------------------------------------------------------

Replica::Replica(const ReplicaOptions& options, const crypto::Authenticator& authenticator,
                 const crypto::Digester& digester)
    : impl_(std::make_unique<Impl>(options, authenticator, digester)) {}

Replica::~Replica() = default;

void Replica::recover(execution::Recovered recovered) {
  impl_->recover(std::move(recovered));
}

void Replica::start(TimeUs now, Outbox& out) {
  impl_->watch.start(now);
  impl_->work_at = impl_->read_at = now;
  impl_->send_beat(now, out);
}

void Replica::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  impl_->wake(now, out);
  if (impl_->is_peer(from)) impl_->watch.heard(now);
  std::visit([&](const auto& body) { impl_->receive(body, from, now, out); }, message);
}

void Replica::on_event(execution::Event event, TimeUs now, Outbox& out) {
  impl_->wake(now, out);
  std::visit([&](auto& body) { impl_->happened(body, now, out); }, event);
}

void Replica::on_record(const Record& record, TimeUs now, Outbox& out) {
  impl_->wake(now, out);
  EVE_CHECK(impl_->asked.has_value(), "an answer to a question");
  impl_->asked.reset();
  if (record.epoch > impl_->record.epoch) impl_->adopt(record, false, now, out);
  impl_->settle(now, out);
}

void Replica::tick(TimeUs now, Outbox& out) {
  impl_->wake(now, out);
  if (impl_->watch.beat_due(now)) impl_->send_beat(now, out);
  if (now < impl_->work_at) return;
  impl_->work_at = now + std::max<TimeUs>(impl_->options.resend_after_us / 2, 1);
  impl_->work(now, out);
}

TimeUs Replica::deadline() const {
  return std::min(impl_->watch.next_beat(), impl_->work_at);
}

void Replica::idle(TimeUs now, Outbox& out) {
  impl_->wake(now, out);
  impl_->decide(now, out);
  impl_->propose(now, out);
  // The other one learns of commits with the next batch, or now.
  if (impl_->serving() && impl_->peer.joined && impl_->committed > impl_->told) {
    impl_->send_beat(now, out);
  }
}

ReplicaStatus Replica::status() const {
  ReplicaStatus status = glance();
  status.waiting_for = impl_->waiting_for();
  return status;
}

ReplicaStatus Replica::glance() const {
  const Impl& self = *impl_;
  ReplicaStatus status = self.counters;
  status.view = self.record.epoch;
  status.primary = primary_of(self.record);
  status.refused_messages = self.refusals.total();
  status.committed = self.committed;
  status.token = self.recent.back().token;
  status.state_root = self.recent.back().state_root;
  status.executed = self.window.executed_through(self.committed);
  status.silent = !self.in_step();
  status.fetching = self.repair.active();
  status.transfer_bytes = self.repair.bytes();
  status.record = self.record;
  status.leading = self.serving();
  status.in_sync = self.in_step();
  status.resumed = self.resumed;
  status.in_doubt = self.watch.in_doubt();
  status.asking = self.asked.has_value();
  status.conflict = self.conflict;
  return status;
}

execution::ExecutorLoad Replica::load() const {
  const auto& entries = impl_->window.entries();
  execution::ExecutorLoad load;
  load.pending_bundles = impl_->pending.size();
  load.pending_of_one_client = impl_->pending.most_of_one_client();
  load.window_batches = entries.size();
  for (const auto& [number, entry] : entries) load.window_bundles += entry.batch->bundles.size();
  if (!entries.empty()) load.window_end = entries.rbegin()->first;
  return load;
}

const Refusals& Replica::refusals() const {
  return impl_->refusals;
}

std::vector<execution::Executor::Committed> Replica::recent() const {
  return {impl_->recent.begin(), impl_->recent.end()};
}

}  // namespace eve::pair
