// Bundles in, replies out, and an eye on the primary (E8, E9).
#include <algorithm>
#include <utility>

#include "execution/executor_impl.h"

namespace eve::execution {
namespace {

// No correct node sends or forwards a bundle that it could not verify. Checking a signature takes
// so long that a flood of wrong ones would leave time for nothing else; a liar gets one check in
// this.
constexpr TimeUs kBarredUs = 1'000'000;

// Far longer than any view change, well before clocks of correct nodes could have moved apart.
constexpr TimeUs kGiveUpAfterUs = limits::kMaxClockSkewUs / 4;

}  // namespace

// A bundle is verified once: when it is first seen here. Every executor keeps what is not
// committed, so that whoever becomes primary has it; all but the primary pass on what comes from
// clients.
void Executor::Impl::take_bundle(const wire::BundleMessage& message, Address from, TimeUs now,
                                 Outbox& out) {
  const bool forwarded = from.role != Role::kClient;
  const wire::BundlePtr& bundle = message.bundle;
  if (bundle->kind == wire::BundleKind::kChange && !concerns(*bundle)) return;  // late
  const Standing standing = mirror.standing(*bundle);
  if (standing == Standing::kAnswered && !forwarded) answer(*mirror.answer(*bundle), true, out);
  if (standing == Standing::kAnswered || standing == Standing::kStale) return;
  if (leads() && order.turn(*bundle) == Turn::kDone) return;  // in flight

  if (!pending.has(*bundle)) {
    const auto barred = barred_until.find(from);
    if (barred != barred_until.end() && now < barred->second) {
      refusals.add(from, "a bundle, soon after one whose signature was wrong");
      return;
    }
    if (!authentic(*bundle)) {
      barred_until[from] = now + kBarredUs;
      refusals.add(from, "a bundle whose signature is wrong");
      return;
    }
    if (!pending.add(bundle, now, standing == Standing::kEarly)) {
      refusals.overflow();
      return;
    }
  }
  // A correct primary proposes what is next, and what is of no known session: its client has to
  // learn that from a batch.
  const bool next = standing == Standing::kNext || standing == Standing::kUnknown;
  if (message.retry) pending.retried(*bundle, next, now);
  if (!leads() && !forwarded) forward(bundle, message.retry, out);
}

void Executor::Impl::forward(const wire::BundlePtr& bundle, bool retry, Outbox& out) const {
  send({Address::executor(primary(view))}, wire::BundleMessage{bundle, retry}, out);
}

// ---- E8: replies -------------------------------------------------------------------------------

void Executor::Impl::answer(const BundleReply& reply, bool with_payload, Outbox& out) const {
  wire::Reply message{reply.session, reply.first, reply.status, view, reply.digest, std::nullopt};
  if (with_payload) message.payload = reply.payload;
  send({Address::client(reply.client)}, std::move(message), out);
}

// Invariant: called for committed batches only. The payload comes from the primary, and from
// everybody if the client had to ask again; where links and nodes are trusted the digest alone is
// worth nothing.
void Executor::Impl::answer_batch(const WindowEntry& entry, Outbox& out) {
  const wire::Batch& batch = *entry.batch;
  const auto& replies = entry.result.replies;
  const bool primary_of_it = primary(batch.view) == options.index || leads();
  for (size_t i = 0; i < replies.size(); ++i) {
    const wire::Bundle& bundle = *batch.bundles[i];
    const auto removed = pending.remove(Stream::of(bundle), bundle.first);
    const bool with_payload = primary_of_it || removed == Pending::Removed::kRetried;
    if (with_payload || options.model.byzantine()) answer(replies[i], with_payload, out);
  }
  mirror.apply(batch, replies);
}

void Executor::Impl::answer_fetched(const std::vector<BundleReply>& replies, Outbox& out) {
  for (const BundleReply& reply : replies) {
    const Stream stream{reply.client, reply.session, RequestNumber()};
    const bool retried = pending.remove(stream, reply.first) == Pending::Removed::kRetried;
    const bool with_payload = leads() || retried;
    if (with_payload || options.model.byzantine()) answer(reply, with_payload, out);
  }
}

// ---- E9: suspicion -----------------------------------------------------------------------------

// The new primary gets its full time, and whatever the clients complained of. What clients sent to
// the old one alone comes from there: else it would wait for the clients to ask again.
void Executor::Impl::watch_new_primary(bool led, TimeUs now, Outbox& out) {
  const std::vector<wire::BundlePtr> watched = pending.rewatch(now);
  if (leads()) return;
  for (const wire::BundlePtr& bundle : watched) forward(bundle, true, out);
  if (!led) return;
  for (const wire::BundlePtr& bundle : pending.unwatched()) forward(bundle, false, out);
}

// A batch may take longer than any wait that was chosen beforehand, so views that outlasted this
// executor's patience, and bore nothing, make for more of it. Those that others ended, or tokens
// that differ, do not: while a poisonous bundle is looked for, a liar in its turn would else gain
// all that patience. Nor does the first: that is what a crash of the primary looks like. A primary
// of which nothing is heard gets more patience only if nothing was heard of those before it either:
// else one that is down would cost more, turn after turn, while others work on a poisonous bundle.
// Who has run the view's first batch knows how long that takes, and waits only for others: a
// primary that sends its batches to one executor alone would else have all that patience, turn
// after turn.
TimeUs Executor::Impl::patient(TimeUs wait) const {
  constexpr uint32_t kMostDoublings = 6;
  constexpr uint32_t kMostForOthers = 3;
  constexpr int64_t kTimesAsLong = 2;
  const uint32_t in_vain = heard ? vain_views : std::min(vain_views, unheard_views);
  const uint32_t doublings = std::max(in_vain, 1u) - 1;
  const TimeUs longest = wait << std::min(doublings, kMostDoublings);
  if (!first_took_us) return longest;
  const TimeUs as_long = std::min(kTimesAsLong * *first_took_us, longest);
  return std::max(wait << std::min(doublings, kMostForOthers), as_long);
}

// A correct primary can be stuck: its batch reached others so late that they refuse its time, and
// those who are left are too few to suspect it without its own word.
bool Executor::Impl::gives_up(TimeUs now) const {
  const auto& entries = window.entries();
  return !silence.silent() && !entries.empty() && entries.begin()->second.batch->view == view &&
         now - entries.begin()->second.proposed_at >= kGiveUpAfterUs;
}

// An executor that is itself behind cannot tell what the primary leaves undone.
void Executor::Impl::suspect(TimeUs now, Outbox& out) {
  if (now - suspect_at < options.resend_after_us || ended) return;
  const bool behind = repair.active() || !verdicts.vouched().empty();
  const bool overdue =
      leads() ? gives_up(now) : !behind && pending.overdue(patient(options.suspect_after_us), now);
  if (!invalid_batch && !overdue) return;
  suspect_at = now;
  gave_up |= overdue;
  if (silence.silent()) {
    say_hello(now, out);
  } else {
    send(verifiers, wire::Suspect{view}, out);
  }
}

}  // namespace eve::execution
