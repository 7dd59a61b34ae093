// The execution stage: state, service, sessions and mixer of one replica. Carries out Commands one
// after the other on its owner's thread; requests of a batch run on the scheduler's workers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/scheduler.h"
#include "crypto/digest.h"
#include "eve/result.h"
#include "eve/service.h"
#include "eve/state.h"
#include "execution/commands.h"

namespace eve::execution {

/// Builds a service over an empty state (as eve::ServiceFactory; a function object so that hosts
/// may bind options).
using MakeService = std::function<std::unique_ptr<Service>(State&)>;

class Runner {
 public:
  /// `digester` and `scheduler` must outlive the runner. `clock` gives the host's time in
  /// microseconds, for statistics (busy_us) and for how requests are chunked; any worker may call
  /// it.
  Runner(const crypto::Digester& digester, Scheduler& scheduler, const MakeService& make_service,
         std::function<TimeUs()> clock);
  ~Runner();

  /// Carries out one command; `emit` gets its event, if it has one. One thread at a time.
  void apply(Command command, const std::function<void(Event)>& emit);

  // ---- For who keeps what was run (src/durability); runner_recover.cc ----

  /// What batch `number`, a sealed one that history holds, has changed: pieces of at most
  /// `piece_bytes`, in order, at least one. An error says why there is nothing to be had.
  Status difference(BatchNumber number, size_t piece_bytes,
                    const std::function<void(Bytes piece)>& take) const;
  /// The payload that the reply cache holds for a bundle, as of the last batch; valid until the
  /// next command.
  std::optional<ByteView> cached_reply(SessionId session, RequestNumber first) const;

  /// Does what running the batch of `parts` did, by its difference, given in pieces. On an error,
  /// for example because this leads to another state, nothing has changed. Nothing may be run
  /// before resume().
  Status redo(const wire::TokenParts& parts, const std::vector<Bytes>& pieces);
  /// After the last redo(): gives up a fetch that is under way, and reads what is kept in memory
  /// of the state. Gives the state of the last batch.
  Fetched resume();

  /// Root of the service's empty state: what the genesis token is made of.
  crypto::Digest empty_root() const;
  crypto::Digest root() const;
  /// From every object anew; O(state). For checkers.
  crypto::Digest recompute_root() const;
  uint64_t objects() const;
  uint64_t memory_bytes() const;
  /// What one container of the service (or of Eve's own: sessions) holds.
  struct Container {
    Bytes name;
    uint64_t objects = 0;
    uint64_t bytes = 0;         ///< of keys and values: the same on every replica
    uint64_t memory_bytes = 0;  ///< older versions that are still kept included
  };
  std::vector<Container> containers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::execution
