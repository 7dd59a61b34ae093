#include "durability/keeper.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "durability/log_marks.h"
#include "durability/mark_file.h"

namespace eve::durability {
namespace {

using journal::LogWriter;
using journal::Position;

constexpr size_t kMostWords = 4000;
/// What is not durable yet is held in memory as well: more of it is synced at once.
constexpr uint64_t kMostWaitingBytes = uint64_t{64} << 20;
/// A disk that fails may fail to read, too: only what reads as damaged again and again is.
constexpr uint32_t kDamagedReadings = 3;
/// Every start adds one, and looks at all.
constexpr size_t kManySegments = 32;

std::string highest_name(const KeeperOptions& options) {
  return options.log.name + ".highest";
}

/// Reads past everything: what mend() visits, the owner has given.
class Nobody : public journal::Visitor {
 public:
  Status record(const journal::Record&) override { return {}; }
};

}  // namespace

// ---- Opening -----------------------------------------------------------------------------------

/// Parts the owner's notes from the Keeper's, and says what is missing.
class Keeper::Opening : public journal::Visitor {
 public:
  Opening(Keeper& keeper, NoteVisitor& visitor) : keeper_(keeper), visitor_(visitor) {}

  Status begins(const journal::Life& life, Position begin) override {
    return visitor_.begins(life, begin);
  }
  Status record(const journal::Record& record) override {
    if (record.kind < kFirstReservedKind) {
      named_ = std::max(named_, std::optional(record.number));
      return visitor_.note(record.position, record.kind, record.number, record.payload);
    }
    if (record.kind == kNotWhole) {
      damage_at_ = record.position;
      words_ = record.payload;
    } else if (record.kind == kRemembered) {
      damage_at_.reset();
    } else {
      return Error{"log " + keeper_.options_.log.name + ": a note of kind " +
                   std::to_string(record.kind) + "; start the release that wrote it"};
    }
    return {};
  }
  void stray(const journal::Record& record) override {
    if (record.kind < kFirstReservedKind) {
      visitor_.stray(record.kind, record.number, record.payload);
    }
  }

  Status run(Found& found) {
    const KeeperOptions& options = keeper_.options_;
    if (auto status = keeper_.disk_.refresh(); !status) return status;
    auto recovery = journal::read_log(keeper_.disk_, options.log, *this);
    if (!recovery) return recovery.status();
    auto lost = read_mark(keeper_.disk_, lost_mark(options.log.name));
    if (!lost) return lost.status();
    auto start = read_mark(keeper_.disk_, start_mark(options.log.name));
    if (!start) return start.status();

    auto highest = read_highest();
    if (!highest) return highest.status();
    const bool expected = highest->has_value() || options.ran_before;
    const std::string trouble =
        why_not_whole(*recovery, *lost, *start, options.machine_start, expected);
    if (auto status = keeper_.begin(*recovery, trouble.substr(0, kMostWords)); !status) {
      return status;
    }
    if (trouble.empty()) keeper_.damage_at_ = damage_at_;
    found = {};
    found.first_start = recovery->empty && trouble.empty();
    found.whole = !keeper_.damage_at_;
    found.trouble = trouble.empty() && damage_at_ ? words_ : trouble;
    found.begin = recovery->begin;
    found.end = recovery->end;
    found.in_pieces = keeper_.log_->segments() > kManySegments;
    found.opened = keeper_.log_->opened();
    found.highest = keeper_.marked_ = *highest;
    if (found.whole) mark_again();
    if (*lost) {
      if (auto status = remove_mark(keeper_.disk_, lost_mark(options.log.name)); !status)
        return status;
    }
    return mark_start(*start);
  }

 private:
  /// A mark that cannot be read is missed when the log is damaged as well. The next note writes it
  /// if this fails.
  void mark_again() {
    const KeeperOptions& options = keeper_.options_;
    if (!options.marks_highest || keeper_.marked_ || !named_) return;
    const auto written = write_mark(keeper_.disk_, highest_name(options), std::to_string(*named_));
    if (written.ok()) keeper_.marked_ = named_;
  }
  /// Nullopt: none is kept, or it cannot be read.
  Result<std::optional<uint64_t>> read_highest() const {
    std::optional<uint64_t> number;
    if (!keeper_.options_.marks_highest) return number;
    const auto text = read_mark(keeper_.disk_, highest_name(keeper_.options_));
    if (!text) return text.error();
    uint64_t read = 0;
    const char* end = *text ? (*text)->data() + (*text)->size() : nullptr;
    if (*text && std::from_chars((*text)->data(), end, read).ptr == end && !(*text)->empty()) {
      number = read;
    }
    return number;
  }
  /// Who writes without syncing says so before; who syncs must not be taken for such a one. Not
  /// earlier than here: what the old mark says is missing must be on record.
  Status mark_start(const std::optional<Bytes>& found) const {
    const std::string name = start_mark(keeper_.options_.log.name);
    const Bytes now = start_text(keeper_.options_.machine_start);
    if (keeper_.options_.durability != Durability::kAsync) {
      return found ? remove_mark(keeper_.disk_, name) : Status();
    }
    return found == now ? Status() : write_mark(keeper_.disk_, name, now);
  }

  Keeper& keeper_;
  NoteVisitor& visitor_;
  std::optional<Position> damage_at_;  ///< of the last note that nothing has made up for
  std::optional<uint64_t> named_;      ///< the highest number of an owner's note
  std::string words_;
};

Result<std::unique_ptr<Keeper>> Keeper::open(journal::Disk& disk, const KeeperOptions& options,
                                             NoteVisitor& visitor, Found& found) {
  std::unique_ptr<Keeper> keeper(new Keeper(disk, options));
  if (auto status = Opening(*keeper, visitor).run(found); !status) return Error{status.message()};
  return keeper;
}

// The note of the damage is durable in the same moment in which damaged files leave the log. Where
// there is no log left to resume there is no such moment: a mark says it meanwhile.
Status Keeper::begin(const journal::Recovery& recovery, const std::string& trouble) {
  std::vector<journal::NewRecord> first;
  if (!trouble.empty()) first.push_back({kNotWhole, 0, trouble});
  const bool readable = !recovery.copy.file.empty();
  if (!recovery.empty && !readable) {
    if (auto status = give_up_log(disk_, options_.log.name, trouble); !status) return status;
  }
  auto log = readable ? LogWriter::resume(disk_, options_.log, recovery, first)
                      : LogWriter::create(disk_, options_.log, options_.life, first);
  if (!log) return log.status();
  log_ = std::move(*log);
  life_ = readable ? recovery.life : options_.life;
  end_ = log_->end();
  if (!trouble.empty()) damage_at_ = end_.prev();
  return {};
}

// ---- Keeping -----------------------------------------------------------------------------------

Status Keeper::refuse(Status status) {
  if (failure_.ok() && !status.ok()) failure_ = std::move(status);
  return failure_;
}

Status Keeper::keep(std::vector<Note> notes, Until until) {
  const size_t before = waiting_.size();
  for (Note& note : notes) {
    EVE_CHECK(note.kind <= kRemembered, "a note of a kind that is not its owner's");
    EVE_CHECK(note.payload.size() <= limits::kMaxJournalRecordBytes, "a note that is too large");
    waiting_bytes_ += note.payload.size();
    waiting_.push_back({end_, std::move(note)});
    end_ = end_.next();
  }
  if (!failure_) return failure_;
  // append() may sync what is before, and take it out of the queue.
  for (size_t left = waiting_.size() - before; left > 0; --left) {
    const Waiting& next = waiting_[waiting_.size() - left];
    if (auto status = append(next.position, next.note); !status) return status;
  }
  return write_out(until);
}

Status Keeper::append(Position position, const Note& note) {
  if (log_->buffered_bytes() + note.payload.size() > limits::kMaxJournalBufferBytes) {
    if (auto status = log_->flush(); !status) return refuse(status);
    forget_durable();
  }
  const auto given = log_->append(note.kind, note.number, note.payload);
  if (!given) return refuse(given.status());
  EVE_CHECK(*given == position, "a note gets another position than it was promised");
  return {};
}

Status Keeper::write_out(Until until) {
  const bool full = waiting_bytes_ > kMostWaitingBytes;
  if (until == Until::kLater && !full) return {};
  const bool sync = options_.durability != Durability::kAsync || until == Until::kSynced || full;
  if (sync) {
    if (auto status = mark_highest(); !status) return refuse(status);
  }
  if (auto status = sync ? log_->flush() : log_->write(); !status) return refuse(status);
  forget_durable();
  return {};
}

// It may say more than the log, if a crash comes in between: nobody may have promised less.
Status Keeper::mark_highest() {
  if (!options_.marks_highest) return {};
  auto highest = marked_;
  for (const Waiting& each : waiting_) {
    const bool owners = each.note.kind < kFirstReservedKind;
    if (owners) highest = std::max(highest, std::optional(each.note.number));
  }
  if (highest == marked_) return {};
  const auto status = write_mark(disk_, highest_name(options_), std::to_string(*highest));
  if (status.ok()) marked_ = highest;
  return status;
}

void Keeper::forget_durable() {
  while (!waiting_.empty() && waiting_.front().position < log_->durable_end()) {
    const Note& note = waiting_.front().note;
    if (note.kind == kRemembered) damage_at_.reset();
    waiting_bytes_ -= note.payload.size();
    waiting_.pop_front();
  }
}

// ---- Going on ----------------------------------------------------------------------------------

Status Keeper::mend(bool& fatal) {
  fatal = false;
  if (failure_.ok()) return {};
  if (damaged_readings_ >= kDamagedReadings) {
    fatal = true;
    return failure_;
  }
  if (auto status = reopen(fatal); !status) {
    failure_ = status;
    return failure_;
  }
  return {};
}

Status Keeper::reopen(bool& fatal) {
  if (log_) earlier_bytes_ += log_->written_bytes();
  log_.reset();
  if (auto status = disk_.refresh(); !status) return status;
  Nobody nobody;
  const auto recovery = journal::read_log(disk_, options_.log, nobody);
  if (!recovery) return recovery.status();
  const Position durable = waiting_.empty() ? end_ : waiting_.front().position;
  const bool fits = !recovery->empty && recovery->end >= durable && recovery->end <= end_;
  if (!recovery->damage.empty() || !fits) {
    ++damaged_readings_;
    fatal = damaged_readings_ >= kDamagedReadings;
    const std::string words = in_words(*recovery);
    return Error{"log " + options_.log.name + ": after an error of the disk it is damaged (" +
                 (words.empty() ? "notes that were durable are gone" : words) +
                 "); start the node again: it will find out what is left, and ask its peers"};
  }
  damaged_readings_ = 0;
  auto log = LogWriter::resume(disk_, options_.log, *recovery);
  if (!log) return log.status();
  log_ = std::move(*log);
  failure_ = Status();
  forget_durable();  // what had reached the disk after all
  for (size_t left = waiting_.size(); left > 0; --left) {
    const Waiting& next = waiting_[waiting_.size() - left];
    if (auto status = append(next.position, next.note); !status) return status;
  }
  if (auto status = mark_highest(); !status) return refuse(status);
  if (auto status = log_->flush(); !status) return refuse(status);
  forget_durable();
  return {};
}

// ---- The rest ----------------------------------------------------------------------------------

Position Keeper::end() const {
  return end_;
}

Status Keeper::cut(Position before) {
  if (!failure_) return failure_;
  if (damage_at_) before = std::min(before, *damage_at_);
  return refuse(log_->cut(before));
}

Status Keeper::settle() {
  if (!failure_) return failure_;
  if (auto status = log_->settle(); !status) return refuse(status);
  forget_durable();
  return {};
}

Status Keeper::close() {
  if (!failure_) return failure_;
  if (auto status = log_->close(); !status) return refuse(status);
  forget_durable();
  return {};
}

Result<journal::Space> Keeper::check_space() {
  if (!log_) return Error{failure_.message()};
  return log_->check_space();
}

uint64_t Keeper::written_bytes() const {
  return earlier_bytes_ + (log_ ? log_->written_bytes() : 0);
}

Status give_up_log(journal::Disk& disk, const std::string& log, const std::string& why) {
  const auto segments = journal::list_segments(disk, log);
  if (!segments) return segments.status();
  if (!segments->empty()) {
    const auto marked = write_mark(disk, lost_mark(log), why.substr(0, kMostWords));
    if (!marked) return marked;
  }
  return journal::set_aside_log(disk, log);
}

}  // namespace eve::durability
