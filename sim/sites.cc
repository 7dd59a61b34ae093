#include "sim/sites.h"

namespace eve::sim {
namespace {

constexpr std::array kNames = {
    "lost",
    "duplicated",
    "replayed",
    "late",
    "overtaken",
    "slowed by bandwidth",
    "clogged",
    "cut",
    "partition: one alone",
    "partition: halves",
    "partition: bridge",
    "partition: ring",
    "partition: one way",
    "partition: half-open links",
    "executor crash",
    "verifier crash",
    "crash before sends",
    "crash amid sends",
    "crash after sends",
    "crash at rest",
    "crash in a loop",
    "crash while running a batch",
    "crash while fetching",
    "crash in a view change",
    "pause",
    "long pause",
    "executor asleep while its links broke",
    "slow node",
    "blackout",
    "as many faulty as allowed",
    "more faulty than allowed",
    "clock stepped ahead",
    "clock stepped back",
    "clock drifts",
    "clock beyond the skew allowed",
    "mixed patience",
    "real signatures",
    "lie",
    "divergence",
    "three tokens for one batch",
    "rollback of a parallel batch",
    "sequential run",
    "throw in a parallel batch",
    "batch of a later view",
    "late batch",
    "commit before execution",
    "repair",
    "transfer",
    "transfer of several sources",
    "transfer retargeted",
    "transfer refused",
    "executor returned",
    "suspicion",
    "token resent",
    "batch resent",
    "view by divergence",
    "view by silence",
    "view by suspicion",
    "view by a returned executor",
    "view by a stranded verifier",
    "view by timeout",
    "view joined",
    "view joined late",
    "promises recovered",
    "vote resent",
    "retry",
    "forwarded retry",
    "session expired",
};
static_assert(kNames.size() == Sites::kNumber);

}  // namespace

const char* name_of(Site site) {
  return kNames[static_cast<size_t>(site)];
}

}  // namespace eve::sim
