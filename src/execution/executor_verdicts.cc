// Verdicts and what follows from them: commits, new views, repairs; and catching up (E5 to E7, E10,
// E11).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "execution/executor_impl.h"

namespace eve::execution {

// ---- E5: verdicts ------------------------------------------------------------------------------

void Executor::Impl::on_verdict(uint16_t verifier, const wire::Verdict& verdict, TimeUs now,
                                Outbox& out) {
  if (verdict.view > view) saw_higher_view = true;
  if (verdict.kind == wire::VerdictKind::kCommit) {
    if (verdicts.commit(verifier, verdict)) settle(now, out);
    return;
  }
  if (verdict.view <= view) return;
  if (const auto start_point = verdicts.rollback(verifier, verdict); start_point) {
    enter_view(*start_point, now, out);
  }
}

// Vouched commits are compared with what ran here, lowest first. Equal: everything up to there is
// final. Different: this executor has diverged. Not run yet: wait for the run, or, if a batch is
// missing, for the batch.
void Executor::Impl::settle(TimeUs now, Outbox& out) {
  if (repair.active()) return;
  std::optional<BatchNumber> agreed;
  bool diverged = false;
  for (const auto& [number, token] : verdicts.vouched()) {
    const WindowEntry* entry = window.find(number);
    if (entry == nullptr || entry->stage != Stage::kExecuted) break;
    diverged = entry->result.token != token;
    if (diverged) break;
    agreed = number;
  }
  if (agreed) commit_through(*agreed, now, out);
  if (diverged) {
    ++counters.repairs;
    begin_repair(now, out);
    return;
  }
  await_missing(now, out);
}

void Executor::Impl::commit_through(BatchNumber number, TimeUs now, Outbox& out) {
  out.commands.push_back(CommitBatches{number});
  Epoch reached = options.epoch;
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
    if (changed_members(entry)) reached = options.epoch.next();
    committed_now(at, entry.result.token, entry.result.parts.state, now);
  }
  window.forget_through(number);
  end_if(reached, out);
  run_ready(out);
}

void Executor::Impl::committed_now(BatchNumber number, const crypto::Digest& token,
                                   const crypto::Digest& state, TimeUs now) {
  EVE_CHECK(number > committed, "what is committed only grows");
  committed = number;
  progress_at = now;
  if (number > start) fruitless_views = vain_views = 0;
  ++counters.commits;
  recent.push_back({number, token, state});
  if (recent.size() > limits::kHistoryBatches) recent.pop_front();
  verdicts.forget_through(number);
  sent_tokens.erase(sent_tokens.begin(), sent_tokens.upper_bound(number));
  if (invalid_batch && *invalid_batch <= number) invalid_batch.reset();
  missing_since.reset();
}

// A vouched commit that cannot be reached by running: the lowest one lies beyond a gap, or beyond
// the window that may run uncommitted. Batches up to the view's start will not come any more, and
// so far behind peers are about to forget the state too: repair at once. Otherwise the batch, or
// the verdict on a lower one, may be on its way.
void Executor::Impl::await_missing(TimeUs now, Outbox& out) {
  if (repair.active() || verdicts.vouched().empty()) return;
  const BatchNumber first = verdicts.vouched().begin()->first;
  const BatchNumber goal = verdicts.vouched().rbegin()->first;
  const BatchNumber tail = window.tail(committed);
  const bool forgotten = goal.value() - committed.value() > limits::kHistoryBatches;
  const BatchNumber reach(std::min(tail.value(), committed.value() + limits::kWindow));
  if (first <= reach && !forgotten) {
    missing_since.reset();
    return;
  }
  if (!missing_since) missing_since = now;
  const bool hopeless = tail < start || forgotten;
  if (hopeless || now - *missing_since >= options.resend_after_us) begin_repair(now, out);
}

// ---- E6: new views -----------------------------------------------------------------------------

// Batches after the start point are gone in this view. Those up to it are agreed, and go on: run,
// compared and committed as after a commit verdict, or repaired. A commit beyond the start point
// stays: the view has gone on meanwhile, and its later batches will come.
void Executor::Impl::enter_view(const wire::Verdict& verdict, TimeUs now, Outbox& out) {
  EVE_CHECK(verdict.view > view, "views only grow");
  const bool led = leads();
  const uint32_t in_vain = gave_up ? 1 : 0;
  fruitless_views = committed > start ? 0 : fruitless_views + 1;
  vain_views = committed > start ? 0 : vain_views + in_vain;
  unheard_views = heard ? 0 : unheard_views + in_vain;
  heard = gave_up = false;
  most_bundles = stretch_bundles();
  view = verdict.view;
  entered_at = now;
  first_took_us.reset();
  start = verdict.number;
  quarantine = verdict.quarantine;
  saw_higher_view = false;
  sent_tokens.clear();
  invalid_batch.reset();
  order.clear();
  silence.entered(view);
  out.commands.push_back(EnterView{view, start, quarantine});

  const BatchNumber kept = std::max(start, committed);
  if (window.run_through(committed) > kept) {
    EVE_CHECK(!repair.active(), "nothing runs during a repair");
    ++generation;
    ++counters.rollbacks;
    out.commands.push_back(RollbackTo{kept});
  }
  pending.requeue(window.drop_after(kept), now);
  verdicts.vouch(start, verdict.token);
  watch_new_primary(led, now, out);
  for (const wire::BatchPtr& batch : future.take(view)) accept(batch, now, out);
  settle(now, out);
  if (silence.silent()) say_hello(now, out);  // this is its suspicion of the view
}

// ---- E7: repair --------------------------------------------------------------------------------

// Towards the newest vouched commit: what came before it is part of it. The runner goes back to the
// last committed batch when the fetch starts, so runs are void; batches beyond the target will run
// again after it.
void Executor::Impl::begin_repair(TimeUs now, Outbox& out) {
  missing_since.reset();
  ++generation;
  window.forget_runs();
  repair_to_newest(now, out);
}

// Batches up to the target come with it. Those that are here make room for what follows: else a
// repair that takes long, and turns to newer targets, would gather ever more of them.
void Executor::Impl::repair_to_newest(TimeUs now, Outbox& out) {
  const auto& [number, token] = *verdicts.vouched().rbegin();
  EVE_CHECK(number > committed, "a repair goes forward");
  window.forget_through(number);
  repair.begin(number, token, now, out);
}

void Executor::Impl::check_repair(TimeUs now, Outbox& out) {
  repair.check(now, out);
  if (!repair.stuck(now) || verdicts.vouched().empty()) return;
  if (verdicts.vouched().rbegin()->first > repair.target()) repair_to_newest(now, out);
}

void Executor::Impl::commit_fetched(const Fetched& fetched, TimeUs now, Outbox& out) {
  const BatchNumber number = fetched.parts.number;
  ++counters.transfers;
  window.forget_through(number);
  order.committed_through(number);
  committed_time_us = fetched.last_time_us;
  fetched_number = number;
  committed_now(number, fetched.token, fetched.parts.state, now);
  answer_fetched(mirror.install(fetched.sessions), out);
  pending.remove_answered(mirror);
  end_if(fetched.epoch, out);
  run_ready(out);
  settle(now, out);
}

// ---- E10, E11: restarted or behind
// ---------------------------------------------------------------

// Nothing was committed for a while although there is something to commit, or somebody spoke of a
// view that has not started here. What a client asks for again may have been committed long ago,
// with nothing new to tell this executor so (trap 8); so may what comes before it, or else a client
// is asking for what nobody will ever run: for that, less often.
bool Executor::Impl::something_missing(TimeUs now) const {
  if (silence.silent() && !silence.answered()) return true;
  if (is_unanswered()) return true;
  if (now - progress_at < options.resend_after_us) return false;
  return saw_higher_view || repair.stuck(now) || !window.entries().empty() ||
         pending.overdue(options.suspect_after_us, now) ||
         (now - hello_at >= options.suspect_after_us &&
          pending.gap_lasts(options.suspect_after_us, now));
}

// Restarted and caught up: only a new view is missing, which the verifiers start for one that asks
// and is level with them (V6e). Until then this executor is one of the u that may fail. One that
// remembers may speak, but not lead the view that it led (E12). One whose disk does not keep up is
// never level, as the others commit what waits for its disk: it asks all the same (E13).
bool Executor::Impl::wants_back(TimeUs now) const {
  const bool waits = silence.silent() ? silence.answered() : leads_no_more();
  if (!waits || now - hello_at < options.suspect_after_us) return false;
  const bool slow = !silence.silent() && !able_to_lead;
  return slow || (!repair.active() && verdicts.vouched().empty());
}

void Executor::Impl::say_hello(TimeUs now, Outbox& out) {
  hello_at = now;
  saw_higher_view = false;
  send(verifiers, wire::Hello{silence.silent() || leads_no_more(), view, committed}, out);
}

}  // namespace eve::execution
