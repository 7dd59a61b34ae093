// A start with what an earlier process of the same life has left (P13, P14). Everything that this
// replica ever answered, or said to have run, is in that state: it may go on, where nobody else can
// have gone on meanwhile. It does so alone, and in an epoch of its own: what terms there were in
// the present one, and what the other one has of it, it does not know any more.
#include <utility>

#include "base/check.h"
#include "pair/replica_impl.h"

namespace eve::pair {

void Replica::Impl::recover(execution::Recovered recovered) {
  EVE_CHECK(committed == BatchNumber() && window.entries().empty(), "recovery comes first");
  const execution::Fetched& state = recovered.committed;
  if (state.parts.number > BatchNumber()) {
    committed = state.parts.number;
    committed_time_us = state.last_time_us;
    recent.clear();
    recent.push_back({committed, state.token, state.parts.state});
    mirror.install(state.sessions);
  }
  for (const execution::RecoveredBatch& batch : recovered.above) window.add_recovered(batch);
  resumed = formed(record) || reached_point().number > BatchNumber();
}

/// What an earlier process may have led or followed, this one does not.
bool Replica::Impl::may_not_lead_yet() const {
  return resumed && (names_both(record) || record.epoch == found_epoch);
}

/// Nobody was left, and both are back with what they had.
bool Replica::Impl::both_resumed() const {
  return peer.life != 0 && peer.life == record.lives.at(other) && peer.resumed &&
         peer.record == record;
}

// P14. Precondition: named, and resumed.
void Replica::Impl::decide_as_resumed(TimeUs now, Outbox& out) {
  if (!may_not_lead_yet()) return;  // it is its own epoch, and waits for its release (P7)
  const bool primary = primary_of(record) == options.index;
  bool alone = !names_both(record);
  if (!alone && both_resumed()) {
    if (peer.committed > reached_point().number) {
      conflict = true;  // this is not all that it had
      return;
    }
    // The other one may have ended again, and then the arbiter knows whether it went on.
    alone = primary || (options.arbiter && watch.silent(now));
  } else if (!alone && options.arbiter) {
    alone = peer_of_another_life() || watch.silent(now);
  }
  if (alone) ask(record_with(false), out);
}

}  // namespace eve::pair
