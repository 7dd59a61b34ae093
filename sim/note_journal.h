// A Keeper on a virtual disk, in virtual time: what runtime/journal_thread.h is to real hosts. What
// waits together is kept with one sync, which takes the disk's time; a crash may come amid it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "durability/keeper.h"
#include "sim/virtual_disk.h"

namespace eve::sim {

/// One node's, through all its lives. The process has it between open() and end().
class NoteJournal {
 public:
  using Later = std::function<void(TimeUs delay, std::function<void()> action)>;
  using Done = std::function<void()>;

  /// `later` runs an action of this process, unless the process has died by then.
  NoteJournal(VirtualDisk& disk, const durability::KeeperOptions& options, uint64_t seed,
              Later later);

  /// As Keeper::open(), with the host's knowledge of whether it has run; a disk that refuses is
  /// tried again and again. Nothing must have been submitted.
  Status open(bool ran_before, durability::NoteVisitor& visitor, durability::Found& found);
  /// Keeps `notes`, then calls `done`: when they are durable (kDurable), or at once (kLater), but
  /// after everything submitted before.
  journal::Position submit(std::vector<durability::Note> notes, durability::Keeper::Until until,
                           Done done);
  void cut(journal::Position before);
  /// Other work on the disk, as JournalThreadOptions::background, after a poke(): when nothing
  /// waits, or has had the disk for kGiveWayUs.
  using Background = std::function<bool(durability::Keeper& keeper)>;
  void set_background(Background background) { background_ = std::move(background); }
  void poke();
  /// The process dies: alone, or with the machine, and then, if a sync is under way, amid it.
  enum class How : uint8_t { kProcess, kMachine };
  void end(How how);

  /// Of the log. Precondition: is_open().
  const journal::Life& life() const { return keeper_->life(); }
  bool is_open() const { return keeper_ != nullptr; }
  /// Nothing waits: what was submitted is durable, or need not be.
  bool at_rest() const { return entries_.empty() && !busy_; }
  /// The log turned out to be damaged: nothing is done any more, until the next start.
  bool broken() const { return broken_; }
  uint64_t syncs() const { return syncs_; }
  uint64_t mended() const { return mended_; }
  /// Crashes that came while something was being written.
  uint64_t interrupted() const { return interrupted_; }

 private:
  struct Entry {
    std::vector<durability::Note> notes;
    durability::Keeper::Until until = durability::Keeper::Until::kLater;
    Done done;
    std::optional<journal::Position> cut;
  };

  void begin();
  void carry_out();
  void begin_background();
  bool background_is_due() const;
  /// As later_; counts the time in which the background gives way.
  void after(TimeUs delay, std::function<void()> action);
  void work_in_background();
  void mend();
  void finish();
  void trouble();

  VirtualDisk& disk_;
  durability::KeeperOptions options_;
  Random random_;
  Later later_;

  std::unique_ptr<durability::Keeper> keeper_;
  std::deque<Entry> entries_;
  std::deque<Entry> group_;  ///< being kept
  journal::Position next_;
  bool busy_ = false;
  bool given_ = false;  ///< the keeper has the group's notes
  bool broken_ = false;
  Background background_;
  bool poked_ = false;
  TimeUs gave_way_us_ = 0;      ///< since it was poked, or the last piece
  bool in_background_ = false;  ///< busy with that
  TimeUs mend_after_us_ = 0;
  uint64_t machine_starts_ = 0;
  uint64_t syncs_ = 0;
  uint64_t mended_ = 0;
  uint64_t interrupted_ = 0;
};

}  // namespace eve::sim
