// Terms: a primary opens them, a backup joins them, tokens that differ end them (P3, P10, P11); and
// state transfer (E7, P8).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "pair/replica_impl.h"
#include "wire/codec.h"

namespace eve::pair {
namespace {

// Commits of the primary that a backup has not reached; it repairs to the highest.
constexpr size_t kMaxClaims = limits::kHistoryBatches + limits::kWindow;
constexpr std::string_view kOtherHistory =
    "another history: what it had committed without this replica is given up";

}  // namespace

// ---- The primary -------------------------------------------------------------------------------

// The first term of an epoch: it goes on from what was run here. Alone, that is committed first.
void Replica::Impl::lead_if_ready(TimeUs now, Outbox& out) {
  if (joined || !leads() || conflict || watch.in_doubt() || may_not_lead_yet()) return;
  if (repair.active() || repair.awaits_runner()) return;
  if (!names_both(record) && !released(now)) return;
  pending.requeue(window.drop_after(window.tail(committed)), now);
  order.clear();
  for (const auto& [number, entry] : window.entries()) {
    for (const wire::BundlePtr& bundle : entry.batch->bundles) order.proposed(*bundle, number);
  }
  quarantine.clear();
  most_bundles = limits::kMaxBatchBundles;
  joined = true;
  term = {record.epoch, 0};
  run_ready(out);
  settle(now, out);
  open_term(term, base(), now, out);
}

// Where a term may start: never before the start of the last one that was led here. The other one
// may have committed that already, although this one has yet to hear that it has it (P10).
PairPoint Replica::Impl::base() const {
  const WindowEntry* entry = window.find(start.number);
  const bool ahead =
      entry != nullptr && entry->stage == Stage::kExecuted && entry->result.token == start.token;
  return ahead ? start : committed_point();
}

void Replica::Impl::open_term(PairTerm next, const PairPoint& from, TimeUs now, Outbox& out) {
  EVE_CHECK(next.epoch == record.epoch && next >= term, "terms only grow");
  ++counters.terms;
  term = next;
  start = from;
  joined = true;
  resumed = false;
  peer.joined = false;
  peer_tokens.clear();
  peer_level = BatchNumber();
  waiting_number = BatchNumber();
  send_beat(now, out);
}

// The other one has restarted. It may have committed what came after the start of this term, and
// nothing of it may be dropped: the next term starts where this one stands.
void Replica::Impl::restart_term(const wire::PairBeat& beat, TimeUs now, Outbox& out) {
  const bool beyond = beat.resumed || beat.committed.number > start.number;
  if (!leads() || names_both(record) || !beyond) return;
  most_bundles = limits::kMaxBatchBundles;
  open_round(base(), now, out);
}

// P11. One that had committed less than where this term starts joins it whatever it had, and takes
// the state from here: then nobody else would say that another history ends.
void Replica::Impl::compare_history(const PairPoint& point) {
  const auto own = std::find_if(recent.rbegin(), recent.rend(),
                                [&](const auto& batch) { return batch.number == point.number; });
  if (own == recent.rend() || own->token == point.token) return;
  refusals.add(Address::executor(other), kOtherHistory);
}

// The other one has just joined: it lacks what is not committed. Commits do not wait for it before
// it has what they had reached: whose runner or disk stands still would hold everybody up (P8).
void Replica::Impl::send_window(TimeUs now, Outbox& out) {
  peer.joined = true;
  readmitted_from = committed;
  for (auto& [number, entry] : window.entries()) send_batch(entry, now, out);
}

// The other one has run everything up to `point`. A token that matched once stays: what comes late
// is of a run that it has given up.
void Replica::Impl::peer_reached(const PairPoint& point, TimeUs now, Outbox& out) {
  const BatchNumber number = point.number;
  std::optional<crypto::Digest> own;
  if (const WindowEntry* entry = window.find(number); entry != nullptr) {
    if (entry->stage == Stage::kExecuted) own = entry->result.token;
    crypto::Digest& kept = peer_tokens.try_emplace(number, point.token).first->second;
    if (!own || kept != *own) kept = point.token;
  } else {
    const auto past = std::find_if(recent.rbegin(), recent.rend(),
                                   [&](const auto& batch) { return batch.number == number; });
    if (past != recent.rend()) own = past->token;
  }
  if (own == point.token) {
    peer_level = std::max(peer_level, number);
    const bool near = number.value() + limits::kWindow > committed.value();
    if (near && number >= readmitted_from && serving() && !names_both(record)) readmitting = true;
  }
  settle(now, out);
}

// ---- P10: tokens that differ -------------------------------------------------------------------

// The lowest batch whose tokens differ leads to a round that starts before it; or, where nothing
// else is left, after it.
void Replica::Impl::diverged(BatchNumber number, TimeUs now, Outbox& out) {
  ++counters.divergences;
  const WindowEntry& failed = *window.find(number);
  const size_t bundles = failed.batch->bundles.size();
  const bool in_order = in_stretch(number);
  PairPoint from = base();
  const bool first = number == from.number.next();
  if (in_order && bundles <= 1 && first && !quarantine_alone(failed)) {
    ++counters.states_taken;
    from = {number, failed.result.token};
  }
  most_bundles = limits::kMaxBatchBundles;
  if (in_order)
    most_bundles = std::max<size_t>((bundles + limits::kWindow - 1) / limits::kWindow, 1);
  open_round(from, now, out);
}

// What is beyond its start runs anew, in order for a while.
void Replica::Impl::open_round(const PairPoint& from, TimeUs now, Outbox& out) {
  if (window.run_through(committed) > from.number) {
    ++generation;
    ++counters.rollbacks;
    out.commands.push_back(execution::RollbackTo{from.number});
  }
  pending.requeue(window.drop_after(from.number), now);
  order.clear();
  open_term({term.epoch, term.round + 1}, from, now, out);
}

// Whether the next round answers the only bundle of the batch without executing it. Those of the
// list that are committed are not proposed again, and leave it.
bool Replica::Impl::quarantine_alone(const WindowEntry& failed) {
  for (const crypto::Digest& name : settled_names) std::erase(quarantine, name);
  settled_names.clear();
  const auto& bundles = failed.batch->bundles;
  if (bundles.size() != 1 || bundles.front()->kind != wire::BundleKind::kCall) return false;
  const crypto::Digest name = wire::bundle_name(*bundles.front(), digester);
  const auto place = std::lower_bound(quarantine.begin(), quarantine.end(), name);
  const bool listed = place != quarantine.end() && *place == name;
  if (listed || quarantine.size() >= limits::kMaxQuarantine) return false;
  quarantine.insert(place, name);
  return true;
}

// ---- The backup --------------------------------------------------------------------------------

void Replica::Impl::follow(const wire::PairBeat& beat, TimeUs now, Outbox& out) {
  const bool leader = primary_of(record) == other && beat.joined && beat.record == record &&
                      beat.term.epoch == record.epoch;
  // Of what was before this process it knows no term, and the other one, whether it still knows
  // that this is another process (P14).
  const bool strange = beat.met != options.process || (resumed && names_both(record));
  if (!leader || conflict || strange) return;
  if (!joined || beat.term > term) join(beat, now, out);
  if (joined && beat.term == term) claim(beat.committed, now, out);
}

void Replica::Impl::join(const wire::PairBeat& beat, TimeUs now, Outbox& out) {
  const PairPoint& from = beat.start;
  const bool same_history = from.number > committed || from == committed_point();
  if (!same_history || (repair.active() && repair.target() > from.number)) {
    conflict = true;  // P11
    return;
  }
  ++counters.terms;
  term = beat.term;
  start = from;
  quarantine = beat.quarantine;
  joined = true;
  resumed = false;
  claims.clear();
  missing_since.reset();
  waiting_number = BatchNumber();
  order.clear();
  if (window.run_through(committed) > start.number) {
    EVE_CHECK(!repair.active(), "nothing runs during a repair");
    ++generation;
    ++counters.rollbacks;
    out.commands.push_back(execution::RollbackTo{start.number});
  }
  pending.requeue(window.drop_after(start.number), now);
  // First what the primary has answered: a repair to the start gives up all runs that are not
  // committed here, and this replica may be the only one that has them (P10).
  claim(beat.committed, now, out);
  claim(start, now, out);
  send_beat(now, out);
}

void Replica::Impl::claim(const PairPoint& point, TimeUs now, Outbox& out) {
  if (point.number <= committed) return;
  claims.emplace(point.number, point.token);
  if (claims.size() > kMaxClaims) claims.erase(claims.begin());
  settle(now, out);
}

// ---- E7 ----------------------------------------------------------------------------------------

// As an executor does (execution/executor_verdicts.cc): a commit that cannot be reached by running,
// because a batch before it is missing, or because it is too far away.
void Replica::Impl::await_missing(TimeUs now, Outbox& out) {
  if (repair.active() || claims.empty() || leads()) return;
  const BatchNumber first = claims.begin()->first;
  const BatchNumber goal = claims.rbegin()->first;
  const BatchNumber tail = window.tail(committed);
  const bool forgotten = goal.value() - committed.value() > limits::kHistoryBatches;
  const BatchNumber reach(std::min(tail.value(), committed.value() + limits::kWindow));
  if (first <= reach && !forgotten) {
    missing_since.reset();
    return;
  }
  if (!missing_since) missing_since = now;
  const bool hopeless = tail < start.number || forgotten;
  if (hopeless || now - *missing_since >= options.resend_after_us) begin_repair(now, out);
}

void Replica::Impl::begin_repair(TimeUs now, Outbox& out) {
  missing_since.reset();
  ++generation;
  window.forget_runs();
  const auto& [number, token] = *claims.rbegin();
  window.forget_through(number);
  repair.begin(number, token, now, out);
}

void Replica::Impl::check_repair(TimeUs now, Outbox& out) {
  repair.check(now, out);
  if (!repair.stuck(now) || claims.empty()) return;
  const auto& [number, token] = *claims.rbegin();
  if (number <= repair.target()) return;
  window.forget_through(number);
  repair.begin(number, token, now, out);
}

void Replica::Impl::commit_fetched(const execution::Fetched& fetched, TimeUs now, Outbox& out) {
  const BatchNumber number = fetched.parts.number;
  ++counters.transfers;
  window.forget_through(number);
  order.committed_through(number);
  committed_time_us = fetched.last_time_us;
  committed_now(number, fetched.token, fetched.parts.state);
  mirror.install(fetched.sessions);
  pending.remove_answered(mirror);
  run_ready(out);
  settle(now, out);
  send_beat(now, out);
}

// Who is to lead goes on from what it has. What the runner was told to fetch must have ended before
// it is told to go back.
void Replica::Impl::stop_repair(Outbox& out) {
  if (repair.active()) {
    repair.stop();
    fetch_stopped = true;
  }
  if (!fetch_stopped || repair.awaits_runner()) return;
  fetch_stopped = false;
  out.commands.push_back(execution::RollbackTo{committed});
}

}  // namespace eve::pair
