// A verifier's disk and what it keeps there, through all its lives, and whether it keeps what it
// says (invariant 7): after each restart all that it had sent must be among what it recovers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "durability/promise_book.h"
#include "sim/note_journal.h"
#include "sim/trace.h"
#include "sim/virtual_disk.h"
#include "verification/verifier.h"

namespace eve::sim {

/// What a verifier has sent in all its lives, held against what it recovers.
class PromiseChecker {
 public:
  void sent(const wire::Message& message);
  /// Throws a Violation unless `all` holds it. `whole`: nothing but views may be missing else.
  void recovered(Address self, const verification::Promises& all, bool whole);
  void forget() { *this = {}; }

 private:
  View asked_;  ///< highest
  View voted_;  ///< likewise; the next are of that view
  std::map<BatchNumber, crypto::Digest> prepares_;
  std::map<BatchNumber, crypto::Digest> commits_;
  std::optional<wire::Commit> highest_;  ///< COMMIT, by view, then by number
};

class VerifierDisk {
 public:
  /// The references outlive this. `later` as for NoteJournal.
  /// `damaged`: the plan has faults that spoil what the disk held. `genesis` is the token of
  /// `start`: each epoch has a log of its own.
  VerifierDisk(Address self, const DiskPlan& plan, bool damaged, const crypto::Digest& genesis,
               const crypto::Digester& digester, uint64_t seed, Trace& trace,
               NoteJournal::Later later, BatchNumber start = BatchNumber());

  /// Another life: fills in from where it goes on. False: so much is lost that it must not run.
  bool open(verification::VerifierOptions& options);
  /// The log turned out to be damaged while the verifier ran: nothing is kept any more.
  bool broken() const { return journal_.broken(); }
  /// Sends what `out` holds with `send`, when what it promises is durable.
  void carry_out(verification::Outbox& out,
                 std::function<void(const std::vector<wire::Send>&)> send);
  void end();
  void calm() { disk_.calm(); }
  /// The highest view that was sent or recovered.
  View promised() const { return book_->all().promised; }

 private:
  Address self_;
  crypto::Digest genesis_;
  BatchNumber start_;
  const crypto::Digester& digester_;
  const bool damaged_;
  Random random_;
  Trace& trace_;
  VirtualDisk disk_;
  NoteJournal journal_;
  std::optional<durability::PromiseBook> book_;
  PromiseChecker checker_;
  bool ran_before_ = false;
};

}  // namespace eve::sim
