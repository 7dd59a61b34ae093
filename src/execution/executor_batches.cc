// Proposing, accepting and running batches, and the tokens that come of it (E1 to E4).
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "eve/codec.h"
#include "execution/executor_impl.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::execution {
namespace {

// A primary's resends of a batch: doubling, up to this many times the usual wait.
constexpr TimeUs kMaxResendWait = 16;
// Bundles kept in memory for batches that are not committed.
constexpr size_t kMaxWindowBytes = limits::kWindow * limits::kMaxBatchBytes;

Bytes seed_material(uint16_t index, View view, BatchNumber number, TimeUs time_us) {
  Bytes bytes;
  Codec<uint16_t>::encode(index, bytes);
  Codec<uint64_t>::encode(view.value(), bytes);
  Codec<uint64_t>::encode(number.value(), bytes);
  Codec<int64_t>::encode(time_us, bytes);
  return bytes;
}

}  // namespace

// ---- E1: proposing -----------------------------------------------------------------------------

// A primary that is behind what is vouched for, or whose window has a gap, must catch up first:
// what it proposed would not extend the committed history. And it must know, after a restart, that
// it has led this view (E12).
bool Executor::Impl::may_propose() const {
  if (!leads() || leads_no_more() || entered != view) return false;
  if (silence.silent() || repair.active() || ended) return false;
  if (committed < start) return false;
  const BatchNumber tail = window.tail(committed);
  if (waits_for_change(tail.next())) return false;
  if (!window.entries().empty() && window.entries().rbegin()->first != tail) return false;
  if (!verdicts.vouched().empty() && verdicts.vouched().rbegin()->first > tail) return false;
  const uint64_t uncommitted = tail.value() - committed.value();
  return uncommitted < options.pipeline || (pending.full_batch() && uncommitted < limits::kWindow);
}

void Executor::Impl::propose(TimeUs now, Outbox& out) {
  while (!pending.empty() && may_propose()) {
    const BatchNumber number = window.tail(committed).next();
    const size_t most = in_stretch(number) ? most_bundles : limits::kMaxBatchBundles;
    std::vector<wire::BundlePtr> bundles = pending.take(order, number, now, most);
    if (bundles.empty()) return;
    const TimeUs time_us = std::max(time_of(number.prev()) + 1, now);
    const uint64_t seed = digester.keyed_hash(seed_material(options.index, view, number, time_us));
    const auto batch = wire::make_batch(view, number, time_us, seed, std::move(bundles), digester);
    WindowEntry& entry = window.add(batch, quarantine);
    heard = true;
    entry.proposed_at = now;
    entry.resend_wait_us = options.resend_after_us;
    send(others, wire::BatchMessage{batch}, out);
    run_ready(out);
  }
}

// The batches after a start point, which run in order (E3).
bool Executor::Impl::in_stretch(BatchNumber number) const {
  return view > View() && number > start && number.value() <= start.value() + limits::kWindow;
}

// How many bundles the batches of the coming view's stretch hold at most. What has just failed
// although it ran in order is split over the stretch, again and again, until a bundle that always
// fails is alone and first: then verifiers know what to blame (V11). An executor that did not see
// the batch that failed splits all the way when views bear nothing.
// A view that bore something just had a batch on its way: splitting it up would make the next view
// slow where disks are, and end it the same way.
size_t Executor::Impl::stretch_bundles() const {
  constexpr uint32_t kPatience = 2;
  const BatchNumber first = std::max(committed, start).next();
  const WindowEntry* failed = window.find(first);
  const bool bore_nothing = committed <= start;
  if (bore_nothing && failed != nullptr && failed->batch->view == view && in_stretch(first)) {
    const size_t bundles = std::max<size_t>(failed->batch->bundles.size(), 1);
    return (bundles + limits::kWindow - 1) / limits::kWindow;
  }
  return fruitless_views >= kPatience ? 1 : limits::kMaxBatchBundles;
}

// ---- E2: accepting -----------------------------------------------------------------------------

void Executor::Impl::accept(const wire::BatchPtr& batch, TimeUs now, Outbox& out) {
  if (batch->number <= committed || window.find(batch->number) != nullptr) return;  // repeated
  if (ended) return;
  if (batch->number <= start) {
    refusals.add(Address::executor(primary(view)), "a batch before the view's start");
    return;
  }
  if (!in_reach(batch->number)) return;
  if (window.bytes() + BatchWindow::bytes_of(*batch) > kMaxWindowBytes) return;
  const std::string_view wrong = what_is_wrong(*batch, now);
  window.add(batch, quarantine);
  heard = true;
  if (!wrong.empty()) refuse_batch(batch->number, wrong);
  run_ready(out);
}

// A window beyond the last commit that is known of, whether it is reached here yet or not; while
// this executor is behind, it keeps what it will need when it has caught up.
bool Executor::Impl::in_reach(BatchNumber number) const {
  const BatchNumber floor = repair.active() ? std::max(committed, repair.target()) : committed;
  BatchNumber known = floor;
  if (!verdicts.vouched().empty()) known = std::max(known, verdicts.vouched().rbegin()->first);
  return number > floor && number.value() - floor.value() <= limits::kHistoryBatches &&
         number.value() <= known.value() + limits::kWindow;
}

// Empty if nothing is. Of a time that is far away nobody can tell from here whose clock is wrong,
// or whether the batch was long on its way: a person who reads the reason should know.
std::string_view Executor::Impl::what_is_wrong(const wire::Batch& batch, TimeUs now) const {
  if (batch.bundles.empty() || batch.time_us < 0) return "an invalid batch";
  const TimeUs skew = batch.time_us > now ? batch.time_us - now : now - batch.time_us;
  if (skew > limits::kMaxClockSkewUs) return kFarFromClock;
  if (wire::holds_change(batch)) {
    if (const auto wrong = what_is_wrong_with_change(batch); !wrong.empty()) return wrong;
  }
  const bool all = std::all_of(batch.bundles.begin(), batch.bundles.end(),
                               [&](const wire::BundlePtr& bundle) { return authentic(*bundle); });
  return all ? "" : "a batch with a bundle whose signature is wrong";
}

// Bundles that were retried here, or dropped by a view change, have been verified already.
bool Executor::Impl::authentic(const wire::Bundle& bundle) const {
  const bool change = bundle.kind == wire::BundleKind::kChange;
  if (!change && bundle.client >= options.clients) return false;
  return pending.has(bundle) ||
         authenticator.verify(Address::client(bundle.client), crypto::Domain::kBundle,
                              bundle.signed_part, bundle.signature);
}

// The first batch for a number counts, so a refused one keeps its place until verdicts override it.
// Without a reason it is nobody's fault.
void Executor::Impl::refuse_batch(BatchNumber number, std::string_view reason) {
  BatchWindow::move(*window.find(number), Stage::kRefused);
  invalid_batch = number;
  if (reason.empty()) {
    refusals.overflow();
  } else {
    refusals.add(Address::executor(primary(view)), reason);
  }
}

// ---- E3: running -------------------------------------------------------------------------------

TimeUs Executor::Impl::time_of(BatchNumber number) const {
  if (number == committed) return committed_time_us;
  const WindowEntry* entry = window.find(number);
  EVE_CHECK(entry != nullptr, "the batch before is here");
  return entry->batch->time_us;
}

void Executor::Impl::run_ready(Outbox& out) {
  if (repair.active() || ended) return;
  const BatchNumber last(committed.value() + limits::kWindow);
  for (BatchNumber number = window.run_through(committed).next(); number <= last;
       number = number.next()) {
    WindowEntry* entry = window.find(number);
    if (entry == nullptr || entry->stage != Stage::kReceived) return;
    if (waits_for_change(number)) return;
    if (entry->batch->time_us <= time_of(number.prev())) {
      // What was fetched may be of a view to come: its primary never saw this batch.
      refuse_batch(number, number.prev() == fetched_number
                               ? std::string_view()
                               : "a batch that is not later than the one before");
      return;
    }
    const bool in_order = in_stretch(number);
    entry->generation = generation;
    BatchWindow::move(*entry, Stage::kRunning);
    if (in_order) ++counters.batches_sequential;
    out.commands.push_back(RunBatch{generation, entry->batch,
                                    in_order ? RunMode::kSequential : RunMode::kParallel,
                                    entry->quarantine});
  }
}

// ---- E4: tokens --------------------------------------------------------------------------------

// What verifiers blame if this batch fails (V11).
std::optional<crypto::Digest> Executor::Impl::sole_call(const wire::Batch& batch) const {
  const bool alone =
      batch.bundles.size() == 1 && batch.bundles.front()->kind == wire::BundleKind::kCall;
  if (!alone) return std::nullopt;
  return wire::bundle_name(*batch.bundles.front(), digester);
}

// Safety: verifiers count an executor's first token for (view, number); whoever counts on it may be
// told only one. After a repair the same batches run again, maybe with other results: their numbers
// are in `sent_tokens` already, and what was said stays said.
void Executor::Impl::send_tokens(TimeUs now, Outbox& out) {
  if (silence.silent()) return;
  for (const auto& [number, entry] : window.entries()) {
    if (entry.stage != Stage::kExecuted) return;
    // Of a batch that an earlier process ran, what it said is known: recover().
    if (entry.recovered || entry.batch->view != view || sent_tokens.contains(number)) continue;
    wire::Token token{view, entry.result.parts, entry.result.token};
    if (in_stretch(number) && number == start.next()) token.sole = sole_call(*entry.batch);
    const auto message = std::make_shared<const wire::Message>(std::move(token));
    sent_tokens[number] = {message, now};
    out.sends.push_back({verifiers, message});
  }
}

void Executor::Impl::resend(TimeUs now, Outbox& out) {
  for (auto& [number, token] : sent_tokens) {
    if (now - token.sent_at < options.resend_after_us) continue;
    token.sent_at = now;
    if (token.message == nullptr) continue;  // not known any more: Recovered::unsure
    out.sends.push_back({verifiers, token.message});
  }
  if (!leads() || silence.silent()) return;
  // A batch that the primary itself has not finished yet is no news to the others either.
  for (auto& [number, entry] : window.entries()) {
    if (entry.stage != Stage::kExecuted || entry.batch->view != view || entry.recovered) continue;
    if (now - entry.sent_at < entry.resend_wait_us) continue;
    entry.sent_at = now;
    entry.resend_wait_us =
        std::min(2 * entry.resend_wait_us, kMaxResendWait * options.resend_after_us);
    send(others, wire::BatchMessage{entry.batch}, out);
  }
}

}  // namespace eve::execution
