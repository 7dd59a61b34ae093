#include "runtime/journal_thread.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "runtime/log.h"

namespace eve::runtime {
namespace {

using durability::Keeper;
using durability::Note;
using journal::Position;

TimeUs steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Notes without a payload take room as well.
constexpr uint64_t kNoteBytes = sizeof(Note);

}  // namespace

/// Outlives the JournalThread in what was posted to the loop: then it does nothing.
class JournalThread::DoneList : public std::enable_shared_from_this<DoneList> {
 public:
  void add(std::deque<Entry>& entries, EventLoop& loop) {
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      first = done_.empty();
      for (Entry& entry : entries) {
        if (entry.done) done_.push_back(std::move(entry.done));
      }
      first = first && !done_.empty();
    }
    if (first) loop.post([self = shared_from_this()] { self->run(); });
  }
  void end() {
    std::lock_guard lock(mutex_);
    done_.clear();
    ended_ = true;
  }

 private:
  void run() {
    std::vector<Done> done;
    {
      std::lock_guard lock(mutex_);
      done.swap(done_);
    }
    for (const Done& each : done) {
      {
        std::lock_guard lock(mutex_);
        if (ended_) return;
      }
      each();
    }
  }

  std::mutex mutex_;
  std::vector<Done> done_;
  bool ended_ = false;
};

JournalThread::JournalThread(EventLoop& loop, std::unique_ptr<Keeper> keeper,
                             JournalThreadOptions options)
    : loop_(loop),
      options_(std::move(options)),
      keeper_(std::move(keeper)),
      done_list_(std::make_shared<DoneList>()),
      next_(keeper_->end()) {
  thread_ = std::thread([this] { serve(); });
}

JournalThread::~JournalThread() {
  done_list_->end();
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// ---- From any thread ---------------------------------------------------------------------------

Position JournalThread::submit(std::vector<Note> notes, Keeper::Until until, Done done) {
  Entry entry{std::move(notes), until, std::move(done), std::nullopt, 0, 0};
  entry.count = entry.notes.size();
  for (const Note& note : entry.notes) entry.bytes += kNoteBytes + note.payload.size();
  Position first;
  {
    std::lock_guard lock(mutex_);
    first = next_;
    next_ = Position(next_.value() + entry.count);
    came(entry);
    if (!at_end_) entries_.push_back(std::move(entry));
  }
  wake_.notify_one();
  return first;
}

void JournalThread::cut(Position before) {
  Entry entry;
  entry.cut = before;
  {
    std::lock_guard lock(mutex_);
    came(entry);
    if (!at_end_) entries_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

void JournalThread::poke() {
  if (!options_.background) return;  // nobody would ever take it back
  {
    std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

void JournalThread::came(const Entry& entry) {
  status_.waiting_notes += entry.count;
  status_.waiting_bytes += entry.bytes;
  since_.push_back(steady_us());
}

void JournalThread::went(const Entry& entry) {
  status_.waiting_notes -= entry.count;
  status_.waiting_bytes -= entry.bytes;
  status_.notes += entry.count;
  since_.pop_front();
}

bool JournalThread::crowded() const {
  std::lock_guard lock(mutex_);
  return status_.waiting_bytes >= options_.crowded_bytes;
}

JournalStatus JournalThread::status() const {
  std::lock_guard lock(mutex_);
  JournalStatus status = status_;
  if (!since_.empty()) status.oldest_wait_us = std::max<TimeUs>(steady_us() - since_.front(), 1);
  return status;
}

Status JournalThread::close() {
  std::unique_lock lock(mutex_);
  close_ = true;
  wake_.notify_one();
  ended_.wait(lock, [this] { return at_end_; });
  return closed_;
}

// ---- The thread --------------------------------------------------------------------------------

void JournalThread::serve() {
  bool close = false;
  look();
  while (!close && phase_ != Phase::kBroken) {
    wait();
    {
      std::lock_guard lock(mutex_);
      if (stop_) return;
      close = close_;
    }
    if (phase_ == Phase::kMending && (close || steady_us() >= mend_at_us_)) mend();
    if (phase_ == Phase::kWorking) work(take());
    if (phase_ == Phase::kWorking && !close) work_in_background();
    if (phase_ == Phase::kWorking && steady_us() >= look_at_us_) look();
  }
  end_in_order();
}

void JournalThread::wait() {
  std::unique_lock lock(mutex_);
  const bool works = phase_ == Phase::kWorking;
  const TimeUs until = works ? look_at_us_ : mend_at_us_;
  wake_.wait_for(lock, std::chrono::microseconds(std::max<TimeUs>(until - steady_us(), 0)), [&] {
    const bool asked = poked_ || more_ || !entries_.empty();
    return stop_ || close_ || (works && asked);
  });
}

// Between two pieces of it, notes that have come meanwhile are kept. Under load there are always
// some.
void JournalThread::work_in_background() {
  if (!options_.background) return;
  {
    std::lock_guard lock(mutex_);
    if (!poked_ && !more_) return;
    if (gives_way_since_us_ == 0) gives_way_since_us_ = steady_us();
    const bool due = steady_us() - gives_way_since_us_ >= options_.give_way_us;
    if (!entries_.empty() && !due) return;
    poked_ = false;
  }
  more_ = options_.background(*keeper_);
  gives_way_since_us_ = more_ ? steady_us() : 0;
  (void)all_well(keeper_->state());
}

std::deque<JournalThread::Entry> JournalThread::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(entries_, {});
}

/// Before what came since.
void JournalThread::put_back(std::deque<Entry> entries) {
  std::lock_guard lock(mutex_);
  std::move(entries_.begin(), entries_.end(), std::back_inserter(entries));
  entries_ = std::move(entries);
}

// What is before a cut is durable when it is made: it may be the reason for it.
void JournalThread::work(std::deque<Entry> entries) {
  std::deque<Entry> group;
  while (!entries.empty()) {
    if (phase_ != Phase::kWorking) return put_back(std::move(entries));
    const bool cuts = entries.front().cut.has_value();
    group.push_back(std::move(entries.front()));
    entries.pop_front();
    if (!cuts && !entries.empty()) continue;
    keep(std::exchange(group, {}), entries);
  }
}

// What need not be durable is done before the sync that does not concern it. What is not tried goes
// back to its place, before `later`.
void JournalThread::keep(std::deque<Entry> entries, std::deque<Entry>& later) {
  const auto must = [](const Entry& entry) {
    return entry.until != Keeper::Until::kLater || entry.cut;
  };
  std::deque<Entry> early;
  while (!entries.empty() && !must(entries.front())) {
    early.push_back(std::move(entries.front()));
    entries.pop_front();
  }
  if (!early.empty() && !keep_group(std::move(early), Keeper::Until::kLater)) {
    std::move(later.begin(), later.end(), std::back_inserter(entries));
    later = std::move(entries);
    return;
  }
  if (entries.empty()) return;
  const auto before = entries.back().cut;
  auto until = before ? Keeper::Until::kSynced : Keeper::Until::kDurable;
  for (const Entry& entry : entries) until = std::max(until, entry.until);
  if (keep_group(std::move(entries), until) && before) cut_now(*before);
}

bool JournalThread::keep_group(std::deque<Entry> group, Keeper::Until until) {
  std::vector<Note> notes;
  for (Entry& entry : group) {
    std::move(entry.notes.begin(), entry.notes.end(), std::back_inserter(notes));
    entry.notes.clear();
  }
  const TimeUs begin = steady_us();
  const Status status = keeper_->keep(std::move(notes), until);
  rested_ = false;
  if (!status) {
    std::move(group.begin(), group.end(), std::back_inserter(failing_));
    return all_well(status);
  }
  {
    std::lock_guard lock(mutex_);
    status_.bytes = keeper_->written_bytes();
    if (until != Keeper::Until::kLater) {
      ++status_.syncs;
      status_.longest_sync_us = std::max(status_.longest_sync_us, steady_us() - begin);
    }
  }
  happened(group);
  return true;
}

// A cut that fails is not repeated: the next one takes more.
void JournalThread::cut_now(Position before) {
  (void)all_well(keeper_->cut(before));
}

void JournalThread::happened(std::deque<Entry>& entries) {
  {
    std::lock_guard lock(mutex_);
    for (const Entry& entry : entries) went(entry);
  }
  done_list_->add(entries, loop_);
  entries.clear();
}

// ---- Trouble -----------------------------------------------------------------------------------

bool JournalThread::all_well(const Status& status) {
  if (status) return true;
  {
    std::lock_guard lock(mutex_);
    ++status_.errors;
    status_.trouble = status.message();
  }
  if (phase_ == Phase::kWorking) {
    log(LogLevel::kError, "disk_trouble", {{"role", options_.name}, {"reason", status.message()}});
    mend_after_us_ = options_.first_mend_us;
    phase_ = Phase::kMending;
  }
  mend_at_us_ = steady_us() + mend_after_us_;
  mend_after_us_ = std::min(2 * mend_after_us_, options_.last_mend_us);
  return false;
}

void JournalThread::mend() {
  bool fatal = false;
  const Status status = keeper_->mend(fatal);
  if (fatal) {
    phase_ = Phase::kBroken;
    log(LogLevel::kError, "journal_broken",
        {{"role", options_.name}, {"reason", status.message()}});
    {
      std::lock_guard lock(mutex_);
      status_.broken = true;
      status_.trouble = status.message();
    }
    std::deque<Entry> last(1);
    last.front().done = options_.on_broken;
    done_list_->add(last, loop_);
    return;
  }
  if (!all_well(status)) return;
  phase_ = Phase::kWorking;
  log(LogLevel::kWarn, "disk_trouble_over", {{"role", options_.name}});
  {
    std::lock_guard lock(mutex_);
    status_.trouble.clear();
    status_.bytes = keeper_->written_bytes();
  }
  happened(failing_);
}

void JournalThread::look() {
  look_at_us_ = steady_us() + options_.look_us;
  const bool rested = std::exchange(rested_, true);
  if (rested || !keeper_->all_durable()) {
    if (!all_well(keeper_->settle())) return;
  }
  const auto space = keeper_->check_space();
  std::lock_guard lock(mutex_);
  status_.bytes = keeper_->written_bytes();
  if (space) status_.space = *space;
}

void JournalThread::end_in_order() {
  if (phase_ == Phase::kWorking) (void)all_well(keeper_->close());
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kWorking) closed_ = Error{status_.trouble};
  at_end_ = true;
  entries_.clear();
  ended_.notify_all();
}

}  // namespace eve::runtime
