// An executor's disk in the simulated world, with its log: through all lives of the executor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "durability/executor_checkpoints.h"
#include "durability/executor_log.h"
#include "sim/note_journal.h"
#include "sim/storage_plan.h"
#include "sim/virtual_disk.h"

namespace eve::sim {

class ExecutorStorage {
 public:
  /// `later`: as NoteJournal's. `clock` gives virtual time.
  ExecutorStorage(const StoragePlan& plan, Address owner, uint64_t seed, NoteJournal::Later later,
                  std::function<TimeUs()> clock);

  /// The process starts. Throws a Violation if what the disk had promised is not there. `present`:
  /// as open_executor()'s.
  durability::OpenedExecutor open(const crypto::Digester& digester, const crypto::Digest& genesis,
                                  const std::function<execution::Runner&()>& make_runner,
                                  const durability::PresentEpoch& present = {});
  /// After open(): what it found is set aside, and another log begun, of an empty state.
  durability::OpenedExecutor open_anew(const crypto::Digester& digester,
                                       const crypto::Digest& genesis,
                                       const std::function<execution::Runner&()>& make_runner);
  /// The log's. Precondition: open.
  const journal::Life& life() const { return journal_->life(); }
  /// `command` has just been carried out: `done` is called when its events may be passed on.
  void carried_out(const execution::Command& command, const std::vector<execution::Event>& events,
                   NoteJournal::Done done);
  /// `done` is called when all that was given before is durable.
  void settle(NoteJournal::Done done);
  /// Between commands, and when it is time_of_step(): a piece of a checkpoint.
  void step(execution::Runner& runner);
  TimeUs time_of_step() const { return checkpoints_->taker().time(); }
  /// In all lives.
  uint64_t checkpoints() const;
  uint64_t crashes_amid_checkpoints() const { return crashes_amid_checkpoints_; }
  /// The executor may speak again.
  void remembered();
  /// The process dies.
  void end();
  /// Somebody puts an empty disk in place of this one, or sets it back to what it was earlier.
  void forget();
  /// Nothing goes wrong any more.
  void calm() { disk_->calm(); }

  /// The log turned out to be damaged while the executor ran: nothing is kept any more.
  bool broken() const { return journal_->broken(); }
  bool ran_before() const { return ran_before_; }
  uint64_t mended() const { return journal_->mended(); }
  uint64_t interrupted() const { return journal_->interrupted(); }

 private:
  void make();
  bool may_forget() const;
  Status set_aside(const std::string& why);
  void begin(durability::OpenedExecutor& opened, const crypto::Digester& digester,
             const crypto::Digest& genesis);

  const StoragePlan plan_;
  const Address owner_;
  Random random_;
  NoteJournal::Later later_;
  std::unique_ptr<VirtualDisk> disk_;
  std::unique_ptr<NoteJournal> journal_;
  std::function<TimeUs()> clock_;
  std::optional<durability::ExecutorRecorder> recorder_;
  std::unique_ptr<durability::LogPlaces> places_;
  std::unique_ptr<durability::ExecutorCheckpoints> checkpoints_;
  uint64_t log_bytes_ = 0;
  uint64_t earlier_checkpoints_ = 0;
  uint64_t crashes_amid_checkpoints_ = 0;
  bool ran_before_ = false;
  bool machine_stopped_ = false;  ///< since the last start
  bool forgot_ = false;           ///< as of the last start
  bool set_back_ = false;         ///< it shows an earlier time: that of one that lies
  std::vector<VirtualDisk::Copy> copies_;
  bool ever_forgot_ = false;  ///< so there may be checkpoints of an earlier log
};

}  // namespace eve::sim
