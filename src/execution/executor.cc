#include "execution/executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "execution/executor_impl.h"

namespace eve::execution {
namespace {

// Questions of one peer that may wait for the runner: a peer has one at a time on its way, and may
// repeat it.
constexpr size_t kMaxServing = 4;
// Before anything was sent, everything may be sent at once.
constexpr TimeUs kLongAgo = std::numeric_limits<TimeUs>::min() / 2;

}  // namespace

Executor::Impl::Impl(const ExecutorOptions& options_in,
                     const crypto::Authenticator& authenticator_in,
                     const crypto::Digester& digester_in)
    : options(options_in),
      authenticator(authenticator_in),
      digester(digester_in),
      told_at(kLongAgo),
      future(options.model.executors()),
      verdicts(options.model),
      pending(options.suspect_after_us),
      repair(options.model, options.index, options.resend_after_us, digester, options.helpers),
      silence(options.model, options.restarted),
      hello_at(kLongAgo),
      suspect_at(kLongAgo),
      serving(options.model.executors() + std::max(options.helpers, options.guests)) {
  for (uint32_t i = 0; i < options.model.verifiers(); ++i) {
    verifiers.push_back(Address::verifier(i));
  }
  for (uint32_t i = 0; i < options.model.executors(); ++i) {
    if (i != options.index) others.push_back(Address::executor(i));
  }
  start = options.start;
  recent.push_back({BatchNumber(), options.genesis, {}});
  committed_time_us = options.genesis_time_us;
}

void Executor::Impl::send(std::vector<Address> to, wire::Message message, Outbox& out) const {
  if (to.empty()) return;
  out.sends.push_back({std::move(to), std::make_shared<const wire::Message>(std::move(message))});
}

// ---- Messages: who may say what --------------------------------------------------------------

void Executor::Impl::receive(const wire::BundleMessage& message, Address from, TimeUs now,
                             Outbox& out) {
  const bool own = from == Address::client(message.bundle->client);
  const bool known =
      message.bundle->client < options.clients || message.bundle->client == limits::kOperator;
  if (!known || (!own && !is_peer(from))) {
    refusals.add(from, "a bundle of another client");
    return;
  }
  take_bundle(message, from, now, out);
}

void Executor::Impl::receive(const wire::BatchMessage& message, Address from, TimeUs now,
                             Outbox& out) {
  const wire::Batch& batch = *message.batch;
  if (!is_peer(from) || from.index != primary(batch.view)) {
    refusals.add(from, "a batch of a view that it does not lead");
    return;
  }
  if (batch.view < view) return;  // late
  if (batch.view == view) {
    accept(message.batch, now, out);
    return;
  }
  saw_higher_view = true;
  if (!future.add(from.index, message.batch, view)) {
    refusals.overflow();
  }
}

void Executor::Impl::receive(const wire::Verdict& verdict, Address from, TimeUs now, Outbox& out) {
  if (!is_verifier(from)) {
    refusals.add(from, "a verdict of no verifier");
    return;
  }
  on_verdict(from.index, verdict, now, out);
}

void Executor::Impl::receive(const wire::Welcome& welcome, Address from, TimeUs now, Outbox& out) {
  const bool shaped = welcome.start.kind == wire::VerdictKind::kRollback &&
                      welcome.last.kind == wire::VerdictKind::kCommit;
  if (!is_verifier(from) || !shaped) {
    refusals.add(from, "a Welcome with the wrong verdicts");
    return;
  }
  silence.welcome(from.index, welcome.promised, view);
  if (is_unanswered()) greeted.insert(from.index);
  // The commit first: it may lie beyond the view's start, and nobody may hold that any more.
  on_verdict(from.index, welcome.last, now, out);
  on_verdict(from.index, welcome.start, now, out);
  send_tokens(now, out);  // if this answer ended the silence
}

void Executor::Impl::receive(const wire::StateRequest& request, Address from, TimeUs, Outbox& out) {
  if (!may_ask(from)) {
    refusals.add(from, "a state request of no executor");
    return;
  }
  if (serving[from.index] >= kMaxServing) {
    refusals.overflow();
    return;
  }
  ++serving[from.index];
  out.commands.push_back(ServeState{from, request});
}

void Executor::Impl::receive(const wire::StateReply& reply, Address from, TimeUs now, Outbox& out) {
  if (!is_holder(from) || !repair.on_reply(reply, from.index, now, out)) {
    refusals.add(from, "state that was not asked for, or is not what the token says");
  }
}

// ---- Events of the runner ----------------------------------------------------------------------

void Executor::Impl::happened(BatchExecuted& event, TimeUs now, Outbox& out) {
  WindowEntry* entry = window.find(event.parts.number);
  const bool current =
      entry != nullptr && entry->stage == Stage::kRunning && entry->generation == event.generation;
  if (!current) return;  // dropped meanwhile
  const BatchNumber before = event.parts.number.prev();
  EVE_CHECK(event.parts.batch == entry->batch->digest, "the runner ran the batch it was given");
  EVE_CHECK(event.replies.size() == entry->batch->bundles.size(), "one reply a bundle");
  const WindowEntry* previous = window.find(before);
  EVE_CHECK(
      event.parts.previous == (before == committed ? recent.back().token : previous->result.token),
      "tokens are chained");
  BatchWindow::move(*entry, Stage::kExecuted);
  entry->result = std::move(event);
  entry->sent_at = now;
  const bool first = entry->batch->view == view && entry->batch->number == start.next();
  if (first && !first_took_us) first_took_us = now - entered_at;
  send_tokens(now, out);
  settle(now, out);
}

void Executor::Impl::happened(StateServed& event, TimeUs, Outbox& out) {
  EVE_CHECK(serving.at(event.peer.index) > 0, "the runner answers each question once");
  --serving[event.peer.index];
  send({event.peer}, std::move(event.reply), out);
}

void Executor::Impl::happened(FetchWants& event, TimeUs now, Outbox& out) {
  if (const auto liar = repair.on_wants(event, now, out)) {
    refusals.add(Address::executor(*liar), "nodes of the state that do not match the token");
  }
}

void Executor::Impl::happened(Fetched& event, TimeUs now, Outbox& out) {
  repair.on_fetched(event.parts.number);
  if (event.parts.number > committed) commit_fetched(event, now, out);
}

// ---- Time --------------------------------------------------------------------------------------

// Checks are cheap and nothing here is urgent, so one beat serves all of them: its period is half
// of the resend time, and it stops when nothing is outstanding.
void Executor::Impl::beat(TimeUs now, Outbox& out) {
  pending.expire(now);
  resend(now, out);
  check_repair(now, out);
  await_missing(now, out);
  suspect(now, out);
  tell_end(now, out);
  const bool due = now - hello_at >= options.resend_after_us;
  if (due && (something_missing(now) || wants_back(now))) say_hello(now, out);
}

bool Executor::Impl::outstanding() const {
  return !window.entries().empty() || !pending.empty() || repair.active() ||
         !verdicts.vouched().empty() || saw_higher_view || invalid_batch.has_value() ||
         silence.silent() || is_unanswered() || leads_no_more() || ended;
}

void Executor::Impl::set_beat(TimeUs now) {
  if (!outstanding()) {
    beat_at = kNever;
  } else if (beat_at == kNever) {
    beat_at = now + std::max<TimeUs>(options.resend_after_us / 2, 1);
  }
}

std::string Executor::Impl::waiting_for() const {
  if (repair.active()) return repair.waiting_for();
  if (leads_no_more() && !able_to_lead) return "a new view: its disk does not keep up";
  if (ended) return "the farewells of verifiers: the epoch has ended";
  if (leads_no_more()) return "a new view, after the restart: it led this one";
  if (silence.silent()) {
    return silence.answered() ? "a new view, after the restart" : "verifiers, after the restart";
  }
  const BatchNumber next = window.tail(committed).next();
  if (missing_since || (!window.entries().empty() && window.entries().rbegin()->first > next)) {
    return "batch " + std::to_string(next.value()) + " from " +
           to_string(Address::executor(primary(view)));
  }
  if (!sent_tokens.empty()) {
    return "the verdict on batch " + std::to_string(sent_tokens.begin()->first.value());
  }
  return "";
}

// ---- The public face ---------------------------------------------------------------------------

Executor::Executor(const ExecutorOptions& options, const crypto::Authenticator& authenticator,
                   const crypto::Digester& digester)
    : impl_(std::make_unique<Impl>(options, authenticator, digester)) {}

Executor::~Executor() = default;

void Executor::recover(Recovered recovered, TimeUs now) {
  impl_->recover(std::move(recovered), now);
}

void Executor::begin(const Fetched& state, TimeUs now) {
  impl_->begin(state, now);
}

void Executor::start(TimeUs now, Outbox& out) {
  impl_->progress_at = now;
  if (impl_->ended) out.commands.push_back(EndEpoch{impl_->committed});
  if (impl_->committed < impl_->options.start) {
    impl_->verdicts.vouch(impl_->options.start, impl_->options.genesis);
    impl_->settle(now, out);
  }
  if (impl_->silence.silent() || impl_->recovered_view) impl_->say_hello(now, out);
  if (!impl_->silence.silent()) impl_->repeat_tokens(now, out);
  impl_->set_beat(now);
}

void Executor::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  std::visit([&](const auto& body) { impl_->receive(body, from, now, out); }, message);
  impl_->set_beat(now);
}

void Executor::on_event(Event event, TimeUs now, Outbox& out) {
  std::visit([&](auto& body) { impl_->happened(body, now, out); }, event);
  impl_->set_beat(now);
}

void Executor::tick(TimeUs now, Outbox& out) {
  if (now < impl_->beat_at) return;
  impl_->beat_at = kNever;
  impl_->beat(now, out);
  impl_->set_beat(now);
}

TimeUs Executor::deadline() const {
  return impl_->beat_at;
}

void Executor::may_lead(bool able, TimeUs now, Outbox& out) {
  if (std::exchange(impl_->able_to_lead, able) == able) return;
  if (!able && impl_->leads() && !impl_->silence.silent()) impl_->say_hello(now, out);
  impl_->set_beat(now);
}

void Executor::idle(TimeUs now, Outbox& out) {
  impl_->propose(now, out);
  impl_->set_beat(now);
}

ExecutorStatus Executor::status() const {
  ExecutorStatus status = glance();
  status.waiting_for = impl_->waiting_for();
  return status;
}

ExecutorStatus Executor::glance() const {
  ExecutorStatus status = impl_->counters;
  status.view = impl_->view;
  status.refused_messages = impl_->refusals.total();
  status.primary = impl_->primary(impl_->view);
  status.committed = impl_->committed;
  status.token = impl_->recent.back().token;
  status.state_root = impl_->recent.back().state_root;
  status.executed = impl_->window.executed_through(impl_->committed);
  status.silent = impl_->silence.silent();
  status.fetching = impl_->repair.active();
  status.ended = impl_->ended;
  status.transfer_bytes = impl_->repair.bytes();
  return status;
}

ExecutorLoad Executor::load() const {
  const auto& entries = impl_->window.entries();
  ExecutorLoad load;
  load.pending_bundles = impl_->pending.size();
  load.pending_of_one_client = impl_->pending.most_of_one_client();
  load.window_batches = entries.size();
  for (const auto& [number, entry] : entries) load.window_bundles += entry.batch->bundles.size();
  if (!entries.empty()) load.window_end = entries.rbegin()->first;
  return load;
}

const std::optional<wire::Evidence>& Executor::evidence() const {
  return impl_->evidence;
}

const Refusals& Executor::refusals() const {
  return impl_->refusals;
}

std::vector<Executor::Committed> Executor::recent() const {
  return {impl_->recent.begin(), impl_->recent.end()};
}

}  // namespace eve::execution
