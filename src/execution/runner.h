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

namespace eve::state {
class Importer;
}

namespace eve::execution {

class StateExport;

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

  // ---- Checkpoints (runner_export.cc); between commands, by their thread ----

  /// The newest committed state, to be cut into chunks of `chunk_bytes` while later commands are
  /// carried out. Null: nothing was committed yet, or a fetch is under way. The runner must outlive
  /// it.
  std::unique_ptr<StateExport> start_export(size_t chunk_bytes);
  /// Bytes of keys and values: about what an export brings. O(containers).
  uint64_t state_bytes() const;
  /// Fills the empty state of a runner that has carried out no command (state/import.h). Gives the
  /// state up again if it is destroyed before finish_import().
  std::unique_ptr<state::Importer> start_import(const crypto::Digest& root);
  /// The runner is where the batch with these parts left it, if that is what was imported: the root
  /// is compared.
  Status finish_import(state::Importer& importer, const wire::TokenParts& parts);
  crypto::Digest token_of(const wire::TokenParts& parts) const;

  // ---- A cluster that begins with another one's state (docs/backup.md); runner_restore.cc ----

  /// As start_import(), of a state whose chunks another cluster's digester proves.
  std::unique_ptr<state::Importer> start_import(const crypto::Digest& root,
                                                const crypto::Digester& proofs);
  /// The runner stands at batch 0, whose state is what was imported, without the sessions, replies
  /// and whatever else Eve kept of the other cluster; but for its time, which goes on.
  Status begin_with(state::Importer& importer);
  /// As start_export(), of batch 0. Precondition: no command was carried out.
  std::unique_ptr<StateExport> export_beginning(size_t chunk_bytes);
  /// Time of the last batch; where none has run, of what the cluster began with: 0, or that of the
  /// backup.
  TimeUs last_time_us() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::execution
