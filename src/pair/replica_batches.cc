// Batches: proposing, accepting, running, comparing, committing; bundles in, replies out (P4, and
// E1 to E3, E8 of docs/protocol.md as far as two replicas need them).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "eve/codec.h"
#include "pair/replica_impl.h"
#include "wire/codec.h"

namespace eve::pair {
namespace {

// A primary's resends of a batch: doubling, up to this many times the usual wait.
constexpr TimeUs kMaxResendWait = 16;
// Bundles kept in memory for batches that are not committed.
constexpr size_t kMaxWindowBytes = limits::kWindow * limits::kMaxBatchBytes;

Bytes seed_material(const ReplicaOptions& options, BatchNumber number, TimeUs time_us) {
  Bytes bytes;
  Codec<uint64_t>::encode(options.life, bytes);
  Codec<uint64_t>::encode(number.value(), bytes);
  Codec<int64_t>::encode(time_us, bytes);
  return bytes;
}

}  // namespace

// ---- E1: proposing -----------------------------------------------------------------------------

bool Replica::Impl::may_propose() const {
  if (!serving()) return false;
  const BatchNumber tail = window.tail(committed);
  const uint64_t uncommitted = tail.value() - committed.value();
  return uncommitted < options.pipeline || (pending.full_batch() && uncommitted < limits::kWindow);
}

void Replica::Impl::propose(TimeUs now, Outbox& out) {
  while (!pending.empty() && may_propose()) {
    const BatchNumber number = window.tail(committed).next();
    const size_t most = in_stretch(number) ? most_bundles : limits::kMaxBatchBundles;
    std::vector<wire::BundlePtr> bundles = pending.take(order, number, now, most);
    if (bundles.empty()) return;
    const TimeUs time_us = std::max(time_of(number.prev()) + 1, now);
    const uint64_t seed = digester.keyed_hash(seed_material(options, number, time_us));
    const auto batch =
        wire::make_batch(term.epoch, number, time_us, seed, std::move(bundles), digester);
    WindowEntry& entry = window.add(batch, quarantine);
    if (peer.joined) send_batch(entry, now, out);
    run_ready(out);
  }
}

/// The batches after the start point of a round run in order (P10).
bool Replica::Impl::in_stretch(BatchNumber number) const {
  return term.round > 0 && number > start.number &&
         number.value() <= start.number.value() + limits::kWindow;
}

void Replica::Impl::send_batch(WindowEntry& entry, TimeUs now, Outbox& out) {
  entry.sent_at = now;
  entry.resend_wait_us = std::clamp(2 * entry.resend_wait_us, options.resend_after_us,
                                    kMaxResendWait * options.resend_after_us);
  told = committed;
  send_peer(wire::PairBatch{term, committed_point(), entry.batch}, out);
}

// Of those whose token is missing; what the primary itself has not finished is no news to the other
// one either.
void Replica::Impl::resend(TimeUs now, Outbox& out) {
  if (!serving() || !peer.joined) return;
  for (auto& [number, entry] : window.entries()) {
    const bool waits = entry.stage == Stage::kExecuted && !peer_tokens.contains(number);
    if (waits && now - entry.sent_at >= entry.resend_wait_us) send_batch(entry, now, out);
  }
}

// ---- E2: accepting -----------------------------------------------------------------------------

void Replica::Impl::accept(const wire::BatchPtr& batch, TimeUs now, Outbox& out) {
  if (batch->number <= committed) return;
  if (const WindowEntry* known = window.find(batch->number); known != nullptr) {
    if (known->stage == Stage::kExecuted) send_token(*known, out);
    return;
  }
  if (batch->number <= start.number || !in_reach(batch->number)) return;
  if (window.bytes() + BatchWindow::bytes_of(*batch) > kMaxWindowBytes) return;
  if (const std::string_view wrong = what_is_wrong(*batch); !wrong.empty()) {
    refusals.add(Address::executor(other), wrong);
    return;
  }
  look_at_time(*batch, now);
  window.add(batch, quarantine);
  run_ready(out);
}

/// A window beyond the last commit that is known of; more while this replica catches up.
bool Replica::Impl::in_reach(BatchNumber number) const {
  const BatchNumber floor = repair.active() ? std::max(committed, repair.target()) : committed;
  const BatchNumber known = claims.empty() ? floor : std::max(floor, claims.rbegin()->first);
  return number > floor && number.value() - floor.value() <= limits::kHistoryBatches &&
         number.value() <= known.value() + limits::kWindow;
}

std::string_view Replica::Impl::what_is_wrong(const wire::Batch& batch) const {
  if (batch.bundles.empty() || batch.time_us < 0) return "an invalid batch";
  const bool known =
      std::all_of(batch.bundles.begin(), batch.bundles.end(),
                  [&](const wire::BundlePtr& bundle) { return bundle->client < options.clients; });
  return known ? "" : "a batch with a bundle of no client";
}

// Of two nobody can tell whose clock is wrong, and to refuse the batch would leave the primary
// alone with a time that may be right: it runs, and a person who reads the reason should know.
void Replica::Impl::look_at_time(const wire::Batch& batch, TimeUs now) {
  const TimeUs skew = batch.time_us > now ? batch.time_us - now : now - batch.time_us;
  if (skew > limits::kMaxClockSkewUs) {
    refusals.add(Address::executor(other), execution::kFarFromClock);
  }
}

// ---- E3: running -------------------------------------------------------------------------------

TimeUs Replica::Impl::time_of(BatchNumber number) const {
  if (number == committed) return committed_time_us;
  const WindowEntry* entry = window.find(number);
  EVE_CHECK(entry != nullptr, "the batch before is here");
  return entry->batch->time_us;
}

void Replica::Impl::run_ready(Outbox& out) {
  if (repair.active() || fetch_stopped) return;
  const BatchNumber last(committed.value() + limits::kWindow);
  for (BatchNumber number = window.run_through(committed).next(); number <= last;
       number = number.next()) {
    WindowEntry* entry = window.find(number);
    if (entry == nullptr || entry->stage != Stage::kReceived) return;
    if (entry->batch->time_us <= time_of(number.prev())) {
      BatchWindow::move(*entry, Stage::kRefused);
      refusals.add(Address::executor(other), "a batch that is not later than the one before");
      return;
    }
    const bool in_order = in_stretch(number);
    entry->generation = generation;
    BatchWindow::move(*entry, Stage::kRunning);
    if (in_order) ++counters.batches_sequential;
    out.commands.push_back(execution::RunBatch{
        generation, entry->batch,
        in_order ? execution::RunMode::kSequential : execution::RunMode::kParallel,
        entry->quarantine});
  }
}

void Replica::Impl::send_token(const WindowEntry& entry, Outbox& out) const {
  send_peer(wire::PairToken{term, {entry.batch->number, entry.result.token}}, out);
}

PairPoint Replica::Impl::reached_point() const {
  const BatchNumber last = window.executed_through(committed);
  if (last == committed) return committed_point();
  return {last, window.find(last)->result.token};
}

/// The lowest batch that has run here and is not committed, and since when it has been that one.
void Replica::Impl::note_waiting(TimeUs now) {
  const bool waits = !window.entries().empty() && joined && !repair.active() &&
                     window.entries().begin()->second.stage == Stage::kExecuted;
  const BatchNumber lowest = waits ? window.entries().begin()->first : BatchNumber();
  if (lowest == waiting_number) return;
  waiting_number = lowest;
  waiting_since = now;
}

// ---- P4: committing ----------------------------------------------------------------------------

void Replica::Impl::settle(TimeUs now, Outbox& out) {
  if (repair.active() || conflict) return;
  if (leads()) {
    settle_as_primary(now, out);
  } else if (joined) {
    settle_as_backup(now, out);
  }
}

// Tokens are chained: one that matches stands for those before it.
void Replica::Impl::settle_as_primary(TimeUs now, Outbox& out) {
  if (!serving()) return;
  std::optional<BatchNumber> agreed;
  std::optional<BatchNumber> differs;
  for (const auto& [number, entry] : window.entries()) {
    if (entry.stage != Stage::kExecuted) break;
    const auto token = peer_tokens.find(number);
    const bool said = token != peer_tokens.end();
    const bool same = said && token->second == entry.result.token;
    if (same) peer_level = std::max(peer_level, number);
    if (same || !needs_peer()) agreed = number;
    if (said && !same && needs_peer()) {
      differs = number;
      break;
    }
  }
  if (agreed) commit_through(*agreed, out);
  if (differs) diverged(*differs, now, out);
}

void Replica::Impl::settle_as_backup(TimeUs now, Outbox& out) {
  std::optional<BatchNumber> agreed;
  bool differs = false;
  for (const auto& [number, token] : claims) {
    const WindowEntry* entry = window.find(number);
    if (entry == nullptr || entry->stage != Stage::kExecuted) break;
    differs = entry->result.token != token;
    if (differs) break;
    agreed = number;
  }
  if (agreed) commit_through(*agreed, out);
  if (differs) {
    ++counters.repairs;
    begin_repair(now, out);
    return;
  }
  await_missing(now, out);
}

void Replica::Impl::commit_through(BatchNumber number, Outbox& out) {
  out.commands.push_back(execution::CommitBatches{number});
  for (const auto& [at, entry] : window.entries()) {
    if (at > number) break;
    EVE_CHECK(entry.stage == Stage::kExecuted, "only executed batches are committed");
    answer_batch(entry, out);
    order.committed(*entry.batch);
    counters.requests += entry.result.requests;
    counters.failed_requests += entry.result.failed;
    counters.quarantined_requests += entry.result.quarantined;
    if (entry.result.failed > 0) counters.last_failure = entry.result.failure;
    counters.parallel_batches += entry.result.parallel_batches;
    counters.busy_us += entry.result.busy_us;
    committed_time_us = entry.batch->time_us;
    committed_now(at, entry.result.token, entry.result.parts.state);
  }
  window.forget_through(number);
  run_ready(out);
}

void Replica::Impl::committed_now(BatchNumber number, const crypto::Digest& token,
                                  const crypto::Digest& state) {
  EVE_CHECK(number > committed, "what is committed only grows");
  committed = number;
  ++counters.commits;
  recent.push_back({number, token, state});
  if (recent.size() > limits::kHistoryBatches) recent.pop_front();
  claims.erase(claims.begin(), claims.upper_bound(number));
  peer_tokens.erase(peer_tokens.begin(), peer_tokens.upper_bound(number));
  missing_since.reset();
}

// ---- E8: bundles and replies -------------------------------------------------------------------

void Replica::Impl::answer(const execution::BundleReply& reply, Outbox& out) const {
  wire::Reply message{reply.session, reply.first,  reply.status,
                      record.epoch,  reply.digest, reply.payload};
  out.sends.push_back(
      {{Address::client(reply.client)}, std::make_shared<const wire::Message>(std::move(message))});
}

void Replica::Impl::answer_batch(const WindowEntry& entry, Outbox& out) {
  const wire::Batch& batch = *entry.batch;
  const auto& replies = entry.result.replies;
  for (size_t i = 0; i < replies.size(); ++i) {
    const wire::Bundle& bundle = *batch.bundles[i];
    pending.remove(execution::Stream::of(bundle), bundle.first);
    if (serving()) answer(replies[i], out);
    if (leads() && !quarantine.empty() && replies[i].status == wire::ReplyStatus::kQuarantined) {
      settled_names.push_back(wire::bundle_name(bundle, digester));
    }
  }
  mirror.apply(batch, replies);
}

// Both keep what is not committed, so that whoever is promoted has it. Only a primary answers.
void Replica::Impl::take_bundle(const wire::BundleMessage& message, Address from, TimeUs now,
                                Outbox& out) {
  using execution::Standing;
  const bool forwarded = from.role != Role::kClient;
  const wire::BundlePtr& bundle = message.bundle;
  const Standing standing = mirror.standing(*bundle);
  if (standing == Standing::kAnswered && !forwarded && serving()) {
    answer(*mirror.answer(*bundle), out);
  }
  if (standing == Standing::kAnswered || standing == Standing::kStale) return;
  if (serving() && order.turn(*bundle) == execution::Turn::kDone) return;  // in flight
  if (!pending.has(*bundle)) {
    if (!authenticator.verify(Address::client(bundle->client), crypto::Domain::kBundle,
                              bundle->signed_part, bundle->signature)) {
      refusals.add(from, "a bundle whose signature is wrong");
      return;
    }
    if (!pending.add(bundle, now, standing == Standing::kEarly)) {
      refusals.overflow();
      return;
    }
  }
  if (message.retry) pending.retried(*bundle, false, now);
  if (!leads() && !forwarded) send_peer(wire::BundleMessage{bundle, message.retry}, out);
}

}  // namespace eve::pair
