// Changes of the members, and the epoch that ends with one (docs/membership.md: M2, M4, M7).
#include "base/check.h"
#include "execution/executor_impl.h"
#include "wire/membership.h"

namespace eve::execution {

// ---- M7: another epoch -------------------------------------------------------------------------

void Executor::Impl::begin(const Fetched& state, TimeUs now) {
  EVE_CHECK(committed == BatchNumber() && view == View(), "an epoch begins with its state");
  entered_at = now;
  stand_at(state);
}

/// Committed, and all that is known of before: nothing of it comes from this epoch's verifiers.
void Executor::Impl::stand_at(const Fetched& state) {
  committed = state.parts.number;
  committed_time_us = state.last_time_us;
  fetched_number = committed;
  recent.clear();
  recent.push_back({committed, state.token, state.parts.state});
  (void)mirror.install(state.sessions);
  verdicts.forget_through(committed);
  ended = committed > options.start && state.epoch > options.epoch;
}

// ---- M2: alone, and nothing after it while it is not committed ---------------------------------

// One of another epoch is late, or a liar's: nothing of it would be executed.
bool Executor::Impl::concerns(const wire::Bundle& change) const {
  const auto asked = wire::change_in(change);
  return asked && asked->epoch == options.epoch;
}

std::string_view Executor::Impl::what_is_wrong_with_change(const wire::Batch& batch) const {
  const auto change = wire::change_in(batch);
  if (!change) return "a change of the members that is not alone in its batch";
  if (change->epoch != options.epoch) return "a change of the members of another epoch";
  const bool seats = (!change->executor || *change->executor < options.model.executors()) &&
                     (!change->verifier || *change->verifier < options.model.verifiers());
  return seats ? "" : "a change of the members that names seats that there are not";
}

// What comes after a change would run in an epoch that may be over.
bool Executor::Impl::waits_for_change(BatchNumber number) const {
  const WindowEntry* before = window.find(number.prev());
  return before != nullptr && wire::holds_change(*before->batch);
}

// ---- M4: the last batch ------------------------------------------------------------------------

void Executor::Impl::end_if(Epoch reached, Outbox& out) {
  if (ended || reached <= options.epoch) return;
  ended = true;
  out.commands.push_back(EndEpoch{committed});
}

void Executor::Impl::happened(EpochEnded& event, TimeUs now, Outbox& out) {
  evidence = std::move(event.evidence);
  tell_end(now, out);
}

void Executor::Impl::tell_end(TimeUs now, Outbox& out) {
  if (!evidence || now - told_at < options.resend_after_us) return;
  told_at = now;
  send(verifiers, wire::EpochEnd{options.epoch, *evidence}, out);
}

}  // namespace eve::execution
