// A start with what an earlier process has left (E12). To everybody else this executor was slow: it
// holds the state of every batch for which it has sent a token, and repeats that token.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "execution/executor_impl.h"

namespace eve::execution {

void Executor::Impl::recover(Recovered recovered, TimeUs now) {
  EVE_CHECK(committed == BatchNumber() && view == View(), "recovery comes first");
  view = recovered.view;
  recovered_view = entered = view;
  start = std::max(recovered.start, options.start);  // of view 0, where no other was entered
  quarantine = std::move(recovered.quarantine);
  entered_at = now;

  const Fetched& state = recovered.committed;
  if (state.parts.number > BatchNumber() || options.start > BatchNumber()) stand_at(state);
  // Before it holds the state that the epoch begins with, nothing runs (M7).
  if (committed < options.start) return;
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
