// Keeps notes on a thread of its own: the loop never waits for the disk. What waits together is
// kept with one sync (group commit).
//
//   working --error of the disk--> mending --mended--> working
//      \-- close() --> closed          \-- the log is damaged --> broken (for good)
//
// docs/durability.md, "Who waits".
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "durability/keeper.h"
#include "runtime/event_loop.h"

namespace eve::runtime {

/// A moment ago.
struct JournalStatus {
  /// Empty: all is well. Else what is wrong with the disk, for people.
  std::string trouble;
  bool broken = false;  ///< nothing is kept any more, until the next start
  journal::Space space = journal::Space::kEnough;
  uint64_t notes = 0;  ///< kept so far
  uint64_t syncs = 0;  ///< groups of them that were kept
  uint64_t bytes = 0;  ///< written, with headers and padding
  uint64_t errors = 0;
  TimeUs longest_sync_us = 0;
  uint64_t waiting_notes = 0;
  uint64_t waiting_bytes = 0;
  TimeUs oldest_wait_us = 0;  ///< how long the oldest that waits has done so; 0: none
};

struct JournalThreadOptions {
  std::string name;                              ///< whose, for the log lines: "executor-1"
  uint64_t crowded_bytes = uint64_t{256} << 20;  ///< crowded() from there on
  TimeUs first_mend_us = 100'000;                ///< doubles with each attempt, up to the next
  TimeUs last_mend_us = 1'000'000;
  TimeUs look_us = 1'000'000;  ///< space is looked at so often; settled after so long a rest
  /// On the loop's thread, once.
  std::function<void()> on_broken;
  /// Other work on the keeper's disk, a bounded piece of it: on this thread, when the disk is well
  /// and no note waits, or notes have had the disk for `give_way_us` since the last piece. True:
  /// there is more to do now. Errors of the log are in the keeper's state().
  std::function<bool(durability::Keeper& keeper)> background;
  TimeUs give_way_us = durability::kGiveWayUs;
};

class JournalThread {
 public:
  using Done = std::function<void()>;

  /// `loop` outlives this; `keeper`'s disk too.
  JournalThread(EventLoop& loop, std::unique_ptr<durability::Keeper> keeper,
                JournalThreadOptions options);
  /// As after kill -9, unless close() was called: what was submitted may be kept or not.
  ~JournalThread();
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  // ---- From any thread

  /// Keeps `notes`, then runs `done` on the loop's thread: once they are durable (kDurable), or at
  /// once (kLater), but after that of everything submitted before. Returns the position that the
  /// first of the notes gets. Never waits, never refuses: see crowded(). When this is broken,
  /// closed or destroyed first, `done` does not run.
  journal::Position submit(std::vector<durability::Note> notes, durability::Keeper::Until until,
                           Done done);
  /// Removes what lies before `before`, when all that was submitted until now is durable.
  void cut(journal::Position before);
  /// There is something to do for `background`.
  void poke();
  /// More waits than is good: submit no more work of others' asking.
  bool crowded() const;
  JournalStatus status() const;
  /// Keeps what was submitted and marks the orderly end; then nothing can be submitted. Waits for
  /// it, unless the disk is in trouble: then it tries once more, and the error is returned.
  Status close();

 private:
  struct Entry {
    std::vector<durability::Note> notes;
    durability::Keeper::Until until = durability::Keeper::Until::kLater;
    Done done;
    std::optional<journal::Position> cut;
    uint64_t count = 0;  ///< of notes; they are moved on
    uint64_t bytes = 0;
  };
  /// What is done, until the loop runs it. Outlives the thread in what was posted to the loop.
  class DoneList;
  enum class Phase : uint8_t { kWorking, kMending, kBroken };

  void serve();
  /// Until there is something to do.
  void wait();
  std::deque<Entry> take();
  void put_back(std::deque<Entry> entries);
  void work(std::deque<Entry> entries);
  void keep(std::deque<Entry> entries, std::deque<Entry>& later);
  bool keep_group(std::deque<Entry> group, durability::Keeper::Until until);
  void cut_now(journal::Position before);
  void work_in_background();
  void mend();
  void look();
  void end_in_order();
  void happened(std::deque<Entry>& entries);
  bool all_well(const Status& status);
  void came(const Entry& entry);
  void went(const Entry& entry);

  EventLoop& loop_;
  const JournalThreadOptions options_;
  std::unique_ptr<durability::Keeper> keeper_;  ///< of the thread
  std::shared_ptr<DoneList> done_list_;

  // ---- Of the thread
  std::deque<Entry> failing_;  ///< given to the keeper and not durable: wait for mend()
  Phase phase_ = Phase::kWorking;
  TimeUs mend_at_us_ = 0;
  TimeUs mend_after_us_ = 0;
  TimeUs look_at_us_ = 0;
  bool rested_ = true;             ///< nothing was kept since the last look
  bool more_ = false;              ///< for `background`
  TimeUs gives_way_since_us_ = 0;  ///< `background`, to notes; 0: it is not wanted

  mutable std::mutex mutex_;
  std::condition_variable wake_;   ///< the thread
  std::condition_variable ended_;  ///< who closes
  // ---- Guarded by mutex_
  std::deque<Entry> entries_;
  journal::Position next_;
  JournalStatus status_;
  std::deque<TimeUs> since_;  ///< of each entry that is not done
  bool poked_ = false;
  bool stop_ = false;
  bool close_ = false;
  bool at_end_ = false;  ///< the thread takes nothing any more
  Status closed_;

  std::thread thread_;
};

}  // namespace eve::runtime
