// A start with what an earlier process has left (E12). To everybody else this executor was slow: it
// holds the state of every batch for which it has sent a token, and repeats that token.
#include <utility>

#include "base/check.h"
#include "execution/executor_impl.h"

namespace eve::execution {

void Executor::Impl::recover(Recovered recovered, TimeUs now) {
  EVE_CHECK(committed == BatchNumber() && view == View(), "recovery comes first");
  view = recovered.view;
  recovered_view = entered = view;
  start = recovered.start;
  quarantine = std::move(recovered.quarantine);
  entered_at = now;

  const Fetched& state = recovered.committed;
  if (state.parts.number > BatchNumber()) {
    committed = state.parts.number;
    committed_time_us = state.last_time_us;
    fetched_number = committed;
    recent.clear();
    recent.push_back({committed, state.token, state.parts.state});
    (void)mirror.install(state.sessions);
    verdicts.forget_through(committed);
    ended = state.epoch > options.epoch;
  }
  for (const RecoveredBatch& batch : recovered.above) {
    WindowEntry& entry = window.add_recovered(batch);
    entry.proposed_at = entry.sent_at = now;
  }
  for (wire::Token& token : recovered.said) {
    const BatchNumber number = token.parts.number;
    sent_tokens[number] = {std::make_shared<const wire::Message>(std::move(token)), now};
  }
  for (const BatchNumber number : recovered.unsure) sent_tokens[number] = {nullptr, now};
}

void Executor::Impl::repeat_tokens(TimeUs now, Outbox& out) {
  for (auto& [number, token] : sent_tokens) {
    token.sent_at = now;
    if (token.message == nullptr) continue;
    out.sends.push_back({verifiers, token.message});
  }
}

}  // namespace eve::execution
