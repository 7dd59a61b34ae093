#include "sim/note_journal.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eve::sim {
namespace {

using durability::Keeper;
using durability::Note;
using journal::Position;

/// A group's notes are written so long after the first was submitted, and the rest of the time that
/// the disk takes passes after that: a crash may come before, amid and after.
constexpr TimeUs kUntilWrittenUs = 50;
constexpr TimeUs kFirstMendUs = 100'000;
constexpr TimeUs kLastMendUs = 1'000'000;
/// What a group costs is about a handful of operations: where the power may fail among them.
constexpr uint64_t kOperationsOfAGroup = 8;

}  // namespace

NoteJournal::NoteJournal(VirtualDisk& disk, const durability::KeeperOptions& options, uint64_t seed,
                         Later later)
    : disk_(disk), options_(options), random_(seed), later_(std::move(later)) {}

Status NoteJournal::open(bool ran_before, durability::NoteVisitor& visitor,
                         durability::Found& found) {
  for (auto& byte : options_.life) byte = static_cast<uint8_t>(random_.next());
  options_.ran_before = ran_before;
  options_.machine_start = std::to_string(machine_starts_);
  auto keeper = Keeper::open(disk_, options_, visitor, found);
  (void)disk_.take_elapsed();
  if (!keeper) return keeper.status();
  keeper_ = std::move(*keeper);
  next_ = keeper_->end();
  return {};
}

Position NoteJournal::submit(std::vector<Note> notes, Keeper::Until until, Done done) {
  const Position first = next_;
  next_ = Position(next_.value() + notes.size());
  const bool at_once = at_rest() && until == Keeper::Until::kLater && !broken_;
  entries_.push_back({std::move(notes), until, std::move(done), std::nullopt});
  if (!at_once) {
    begin();
    return first;
  }
  Entry entry = std::move(entries_.front());
  entries_.clear();
  const auto kept = keeper_->keep(std::move(entry.notes), until);
  (void)disk_.take_elapsed();
  if (kept.ok()) {
    if (entry.done) entry.done();
    return first;
  }
  group_.push_back(std::move(entry));
  busy_ = given_ = true;
  trouble();
  return first;
}

void NoteJournal::cut(Position before) {
  entries_.push_back({{}, Keeper::Until::kDurable, nullptr, before});
  begin();
}

void NoteJournal::after(TimeUs delay, std::function<void()> action) {
  if (poked_) gave_way_us_ += delay;
  later_(delay, std::move(action));
}

void NoteJournal::begin() {
  if (busy_ || broken_ || entries_.empty()) return;
  if (background_is_due()) return begin_background();
  busy_ = true;
  given_ = false;
  after(kUntilWrittenUs, [this] { carry_out(); });
}

// All that has come by now, up to the first cut.
void NoteJournal::carry_out() {
  const auto cut = std::find_if(entries_.begin(), entries_.end(),
                                [](const Entry& entry) { return entry.cut.has_value(); });
  const auto end = cut == entries_.end() ? cut : std::next(cut);
  std::move(entries_.begin(), end, std::back_inserter(group_));
  entries_.erase(entries_.begin(), end);
  std::vector<Note> notes;
  auto until = group_.back().cut ? Keeper::Until::kSynced : Keeper::Until::kDurable;
  for (Entry& entry : group_) {
    std::move(entry.notes.begin(), entry.notes.end(), std::back_inserter(notes));
    entry.notes.clear();
    until = std::max(until, entry.until);
  }
  given_ = true;
  auto kept = keeper_->keep(std::move(notes), until);
  if (kept.ok() && group_.back().cut) kept = keeper_->cut(*group_.back().cut);
  if (kept.ok()) {
    ++syncs_;
    after(disk_.take_elapsed(), [this] { finish(); });
  } else {
    trouble();
  }
}

void NoteJournal::poke() {
  poked_ = true;
  begin_background();
}

bool NoteJournal::background_is_due() const {
  return poked_ && gave_way_us_ >= durability::kGiveWayUs;
}

void NoteJournal::begin_background() {
  if (busy_ || broken_ || !poked_ || (!entries_.empty() && !background_is_due())) return;
  busy_ = given_ = in_background_ = true;
  later_(kUntilWrittenUs, [this] { work_in_background(); });
}

void NoteJournal::work_in_background() {
  in_background_ = false;
  gave_way_us_ = 0;
  poked_ = background_(*keeper_);
  if (!keeper_->state().ok()) return trouble();
  later_(disk_.take_elapsed(), [this] { finish(); });
}

void NoteJournal::trouble() {
  mend_after_us_ = kFirstMendUs;
  after(disk_.take_elapsed() + mend_after_us_, [this] { mend(); });
}

void NoteJournal::mend() {
  bool fatal = false;
  const auto mended = keeper_->mend(fatal);
  const TimeUs elapsed = disk_.take_elapsed();
  if (fatal) {
    broken_ = true;
    return;
  }
  if (!mended.ok()) {
    mend_after_us_ = std::min(2 * mend_after_us_, kLastMendUs);
    after(elapsed + mend_after_us_, [this] { mend(); });
    return;
  }
  ++mended_;
  after(elapsed, [this] { finish(); });
}

// What is done may submit more, and may end this process.
void NoteJournal::finish() {
  std::deque<Entry> done = std::exchange(group_, {});
  busy_ = given_ = false;
  for (const Entry& entry : done) {
    if (entry.done) entry.done();
    if (!is_open()) return;
  }
  begin();
  begin_background();
}

void NoteJournal::end(How how) {
  if (!is_open()) return;
  const bool machine = how == How::kMachine;
  if (busy_ && !given_) {
    // Some of it may have been written already.
    ++interrupted_;
    std::vector<Note> notes;
    for (Entry& entry : entries_) {
      std::move(entry.notes.begin(), entry.notes.end(), std::back_inserter(notes));
    }
    if (machine) disk_.fail_power_after(1 + random_.below(kOperationsOfAGroup));
    if (random_.chance(3, 4)) (void)keeper_->keep(std::move(notes), Keeper::Until::kDurable);
  }
  if (in_background_) {
    ++interrupted_;
    if (machine) disk_.fail_power_after(1 + random_.below(kOperationsOfAGroup));
    (void)background_(*keeper_);
  }
  keeper_.reset();
  entries_.clear();
  group_.clear();
  background_ = nullptr;
  busy_ = given_ = broken_ = poked_ = in_background_ = false;
  gave_way_us_ = 0;
  if (machine) {
    disk_.crash();
    ++machine_starts_;
  } else {
    disk_.kill();
  }
  (void)disk_.take_elapsed();
}

}  // namespace eve::sim
