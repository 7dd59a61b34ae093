// Brings a Runner to where an earlier process had left it, from that process's notes.
//
// Invariants (docs/durability.md):
//   X1  the Runner ends in a state whose root is that of a token in the log, or the recovery fails;
//   X2  nothing that the log says to be committed is missing;
//   X3  where the log is whole, every batch whose run it holds, that nothing after it undid, stands
//       again; and no token is ever sent that contradicts one that was sent. What is in the log was
//       not necessarily sent: where a batch ran again after a repair, with another result, only the
//       first that was passed on in time was, so nothing more is said of it;
//   X6  nothing that was run and not committed, said or entered in another epoch counts.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "durability/executor_notes.h"
#include "durability/keeper.h"
#include "durability/log_places.h"
#include "execution/recovered.h"
#include "execution/runner.h"

namespace eve::durability {

/// The last epoch whose link an executor holds, and where that begins (docs/membership.md, M6).
struct PresentEpoch {
  Epoch epoch;
  BatchNumber start;
  crypto::Digest token;  ///< of `start`; it is committed
};

/// Visits the notes, then gives what the Executor starts with. A run is done again only when it is
/// known to be committed, or at the end: at most a window of differences is held in memory, and
/// what was undone costs nothing.
///
/// Thread safety: as the Runner's.
class ExecutorRecovery final : public NoteVisitor {
 public:
  /// `runner` is new, or holds the committed state of a checkpoint; `places` is told what is in the
  /// log. All outlive this.
  ExecutorRecovery(execution::Runner& runner, const crypto::Digester& digester,
                   const crypto::Digest& genesis, LogPlaces& places,
                   const PresentEpoch& present = {});
  /// The checkpoint's: the Runner stands at committed batch `number`, in this view; notes are
  /// needed from `position` on. An error is as one of note().
  Status begin_at(journal::Position position, BatchNumber number, LogContext context);

  /// An error is final: what was recovered is worth nothing. refused() tells what kind it is.
  Status note(journal::Position position, uint16_t kind, uint64_t number,
              ByteView payload) override;
  /// The log is not this executor's, or of another release: it is to be left alone. Otherwise, what
  /// it says cannot be done: it is to be set aside, as damaged.
  bool refused() const { return refused_; }
  bool failed() const { return failed_; }

  /// The epoch that the log's last notes are of.
  Epoch epoch() const { return epoch_; }

  /// Once, after the last note. `whole`: Found::whole; else, or where the log ends in an epoch
  /// before the present one, what is committed is all that counts.
  Result<execution::Recovered> finish(bool whole);
  /// After finish(): to be kept before anything else. They say where this process begins: what the
  /// last one had not brought to an end will not be. The last one is of the present epoch, where
  /// the log is of an earlier one.
  std::vector<Note> opening_notes() const;

 private:
  struct Held {
    RunNote run;
    std::vector<Bytes> pieces;
  };

  Status take(journal::Position position, ExecutorNote kind, uint64_t number, ByteView payload);
  Status began(ByteView payload);
  Status ran(journal::Position position, ByteView payload);
  Status commit(BatchNumber number);
  Status fetch(journal::Position position, const execution::StartFetch& command);
  Status supply(ByteView payload);
  void said(const wire::TokenParts& parts);
  void roll_back(BatchNumber number);
  void enter(execution::EnterView view);
  Status enter(Epoch epoch);
  bool enters() const { return epoch_ < present_.epoch; }
  Status commit_start();
  Status redo(const Held& held);
  execution::RecoveredBatch recovered(const RunNote& run) const;
  void carry_out(execution::Command command);

  execution::Runner& runner_;
  const crypto::Digester& digester_;
  const crypto::Digest genesis_;
  LogPlaces& places_;
  const PresentEpoch present_;

  bool began_ = false;
  bool refused_ = false;
  bool failed_ = false;
  BatchNumber committed_;
  BatchNumber stands_at_;
  bool start_committed_ = false;  ///< by commit_start()
  Epoch epoch_;
  execution::EnterView view_;  ///< of that epoch
  std::deque<Held> held_;      ///< runs after committed_, without gaps
  BatchNumber pieces_of_;
  journal::Position pieces_at_;  ///< the first of them
  std::vector<Bytes> pieces_;
  bool fetching_ = false;
  bool passing_by_ = false;  ///< a fetch of what the checkpoint holds already
  /// Tokens of said_in_; none where a batch led to several.
  std::map<BatchNumber, std::optional<wire::Token>> said_;
  View said_in_;
};

}  // namespace eve::durability
