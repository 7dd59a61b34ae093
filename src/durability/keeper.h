// Keeps notes in a log (src/journal), and goes on after errors of its disk. What the notes mean is
// their owner's: an executor's commands, a verifier's promises.
//
//   first start --> keeping <--mend()-- failed        (an error of the disk)
//   log found   --/    \----------------^
//
// Invariants (docs/durability.md):
//   D1  what keep(..., kDurable) has succeeded for is visited by every later open(), in order;
//   D2  the notes that open() visits are a prefix of those given to keep(): of all lives together,
//       less what cut() removed;
//   D3  where D1 cannot be kept (damage, a lost log, a machine that stopped while durability was
//       async) `Found::whole` is false, now and at every later open(), until kRemembered is kept;
//   D4  the notes given to one Keeper have consecutive positions, from end() after open() on,
//       whatever mend() has to do.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eve/result.h"
#include "journal/disk.h"
#include "journal/log.h"
#include "journal/log_reader.h"
#include "journal/log_writer.h"

namespace eve::durability {

enum class Durability : uint8_t {
  kMemory,  ///< nothing is kept but what safety needs (a verifier's highest view)
  kAsync,   ///< survives the process; the machine only up to a moment ago
  kSync,    ///< survives the machine
};

/// Who keeps notes on a thread of its own may do other work on the disk when none waits. Where
/// notes always wait (a disk that is slower than they come) that would be never, and a log that no
/// checkpoint cuts fills the disk: after so long one bounded piece of it is done all the same. Long
/// enough that pieces, of a few milliseconds on a disk that is not in trouble, slow the log by a
/// fifth at most; short enough that a checkpoint of a GiB, of about 5,000 pieces, takes two
/// minutes.
inline constexpr TimeUs kGiveWayUs = 20'000;

/// What is to be kept. Kinds from kFirstReservedKind on are the Keeper's own, not visited, and not
/// for owners, but for kRemembered.
struct Note {
  uint16_t kind = 0;
  uint64_t number = 0;
  Bytes payload;
};
inline constexpr uint16_t kFirstReservedKind = 0xff00;
/// For the owner to keep when what was missing has been made up for (D3). Not visited.
inline constexpr uint16_t kRemembered = 0xff00;
/// The Keeper's own: why the log is not whole, in words. Until a kRemembered follows (D3).
inline constexpr uint16_t kNotWhole = 0xff01;

struct KeeperOptions {
  journal::LogOptions log;
  Durability durability = Durability::kSync;
  journal::Life life{};  ///< random: for a log that is made now
  /// Names this start of the machine (Linux: the boot id): an async log of another one may have
  /// lost its end.
  std::string machine_start;
  /// The owner has run with this directory before: a log that is not there is lost.
  bool ran_before = false;
  /// The highest number of any note that is synced stands in NAME.highest as well, and before that:
  /// for owners to whom it is worth more than the rest.
  bool marks_highest = false;
};

/// What open() found.
struct Found {
  bool first_start = false;    ///< no log, and none expected
  bool whole = true;           ///< D3; the notes visited are good, but others may be missing
  std::string trouble;         ///< for people: what is damaged or lost, and where it was put
  journal::Position begin{1};  ///< where the log begins: a checkpoint must reach up to there
  journal::Position end{1};    ///< notes below it were visited
  /// The log lies in so many files that each further start takes noticeably longer: worth a cut.
  bool in_pieces = false;
  uint64_t opened = 1;              ///< how often the log has been opened, this time included
  std::optional<uint64_t> highest;  ///< as NAME.highest says: no note had a higher number
};

/// Visits what earlier processes kept.
class NoteVisitor {
 public:
  virtual ~NoteVisitor() = default;
  /// Before the first note, if anything of the log can be read (journal::Visitor). An error ends
  /// the opening.
  virtual Status begins(const journal::Life& /*life*/, journal::Position /*begin*/) { return {}; }
  /// `payload` is gone when the call returns. An error ends the opening.
  virtual Status note(journal::Position position, uint16_t kind, uint64_t number,
                      ByteView payload) = 0;
  /// After damage: whole, but beyond what is lost; for upper bounds only (journal::Visitor).
  virtual void stray(uint16_t /*kind*/, uint64_t /*number*/, ByteView /*payload*/) {}
};

/// Calls block; one thread at a time. The disk must outlive the keeper.
///
/// Beside the log's files it may leave NAME.start (how the log was kept last, if not synced) and
/// NAME.lost (a log that cannot be read is being replaced), and NAME.highest.
class Keeper {
 public:
  /// Reads the log, or makes one. When it returns, all that was visited is durable: not before may
  /// it be acted upon. Errors: the disk refuses; the files are another node's or a later release's;
  /// `visitor` fails.
  static Result<std::unique_ptr<Keeper>> open(journal::Disk& disk, const KeeperOptions& options,
                                              NoteVisitor& visitor, Found& found);

  enum class Until : uint8_t {
    kLater,    ///< kept with the next that is to be durable, or soon
    kDurable,  ///< as durable as options.durability says, when it returns
    kSynced,   ///< survives the machine, whatever options.durability says
  };
  /// Appends `notes`. On an error they are neither lost nor acknowledged: they wait for mend(),
  /// with what was given before and not durable yet. No payload is above
  /// limits::kMaxJournalRecordBytes.
  Status keep(std::vector<Note> notes, Until until);
  /// After an error: reads the log again, and writes what is not in it (D1, D2). An error again:
  /// later, perhaps. `fatal` is set if no later call can succeed: the log is damaged.
  Status mend(bool& fatal);
  /// Nothing of what was given could be lost by the machine.
  bool all_durable() const { return waiting_.empty(); }
  /// ok unless an error waits for mend().
  const Status& state() const { return failure_; }

  /// The position that the next note gets: what a checkpoint of all notes before it is to name.
  journal::Position end() const;
  /// Of the log: of those that one directory has had, one at a time, each has another one.
  const journal::Life& life() const { return life_; }
  /// Removes what lies in segments before `before` altogether; not what D3 needs.
  Status cut(journal::Position before);
  /// When nothing was kept for a while (journal/log_writer.h).
  Status settle();
  /// Everything kept, durable; with the mark of an orderly end. Nothing follows.
  Status close();
  Result<journal::Space> check_space();

  uint64_t written_bytes() const;

 private:
  class Opening;

  Keeper(journal::Disk& disk, const KeeperOptions& options) : disk_(disk), options_(options) {}

  Status begin(const journal::Recovery& recovery, const std::string& trouble);
  Status refuse(Status status);
  Status append(journal::Position position, const Note& note);
  Status write_out(Until until);
  /// Before what waits is durable.
  Status mark_highest();
  void forget_durable();
  Status reopen(bool& fatal);

  journal::Disk& disk_;
  const KeeperOptions options_;
  std::unique_ptr<journal::LogWriter> log_;  ///< null while an attempt to mend has failed
  Status failure_;
  struct Waiting {
    journal::Position position;
    Note note;
  };
  std::deque<Waiting> waiting_;  ///< given to keep() and not durable yet
  uint64_t waiting_bytes_ = 0;
  journal::Position end_{1};
  journal::Life life_{};
  std::optional<journal::Position> damage_at_;  ///< says that the log is not whole: must stay
  std::optional<uint64_t> marked_;              ///< what NAME.highest says
  uint32_t damaged_readings_ = 0;               ///< by mend(), in a row
  uint64_t earlier_bytes_ = 0;                  ///< written by writers that failed
};

/// For who gives a log up, whether it can be read or not, and begins another: renames its segments
/// (journal::set_aside_log), and says so before the first of them. From then on, whatever ends it
/// half-way, an opening finds what is left to be not whole (D3). `why`: in words. Nothing happens
/// where there is no log.
Status give_up_log(journal::Disk& disk, const std::string& log, const std::string& why);

}  // namespace eve::durability
