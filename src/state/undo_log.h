// What the workers write down while a batch runs: enough to undo it, and what must stay alive until
// it has ended. One list a worker; nothing shared is written on the hot path.
//
// A write stamp tells the writes of one interval (a batch, or the part of it since mark()) from
// earlier ones. The first write of an object in an interval replaces a word with an older stamp and
// is noted; the word that a later one replaces can be seen only by requests of this batch. So:
//   - an object has at most one entry an interval, whoever races;
//   - its entry with a stamp from before the batch is what it held when the batch began.
// Order between the lists therefore never matters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/shard.h"

namespace eve::state {

/// A free-standing object (eve/graph.h) that a batch has made.
struct Birth {
  /// Which request made it, and as its how-manieth: the last resort of placement.h.
  struct Order {
    uint32_t request = 0;
    uint32_t sequence = 0;
  };
  Object* object;
  Order order;
};

class UndoLog {
 public:
  struct Entry {
    Object* object;
    Word before;
  };
  struct alignas(64) List {
    std::vector<Entry> entries;
    std::vector<Object*> created;   ///< objects made in this batch, whatever became of them
    std::vector<Version*> retired;  ///< freed when the batch has ended
    std::vector<Birth> births;
    uint64_t handles = 0;  ///< given out by this worker, ever
    size_t mark = 0;       ///< entries that mark() found
    int64_t bytes = 0;     ///< memory taken by this worker, ever
  };

  explicit UndoLog(size_t workers) : lists_(workers) {}

  // ---- A worker, within a batch ----

  bool is_open() const { return open_; }
  uint64_t stamp() const { return stamp_; }
  /// Notes one write. `worker` is the caller's own.
  void note(size_t worker, const Written& written, size_t version_bytes) {
    List& list = lists_[worker];
    list.bytes += static_cast<int64_t>(version_bytes);
    if (written.created) {
      list.created.push_back(written.object);
      list.bytes += static_cast<int64_t>(written.object->footprint());
    }
    if (written.before.stamp() != stamp_) {
      list.entries.push_back({written.object, written.before});
    } else if (written.before.present()) {
      list.retired.push_back(written.before.version());
    }
  }
  void note_birth(size_t worker, const Birth& birth) { lists_[worker].births.push_back(birth); }
  /// A handle (references.h) that was never given out before. The owner, while no worker is inside,
  /// may be any worker.
  uint64_t next_handle(size_t worker) {
    return (uint64_t{worker} << 48) | ++lists_[worker].handles;
  }
  size_t workers() const { return lists_.size(); }

  // ---- The owner, while no worker is inside ----

  void open() {
    first_stamp_ = ++stamp_;
    open_ = true;
    set_marks();
  }
  void mark() {
    ++stamp_;
    set_marks();
  }
  /// Whether `entry` says what its object held when the batch began.
  bool is_first(const Entry& entry) const { return entry.before.stamp() < first_stamp_; }
  /// Whether the open batch has written `word`.
  bool is_of_batch(Word word) const { return word.stamp() >= first_stamp_; }
  std::vector<List>& lists() { return lists_; }
  const std::vector<List>& lists() const { return lists_; }
  /// Forgets the entries; what was retired or created has been dealt with.
  void close() {
    for (List& list : lists_) {
      list.entries.clear();
      list.created.clear();
      list.retired.clear();
      list.births.clear();
    }
    open_ = false;
  }

 private:
  void set_marks() {
    for (List& list : lists_) list.mark = list.entries.size();
  }

  std::vector<List> lists_;
  uint64_t stamp_ = 0;
  uint64_t first_stamp_ = 0;
  bool open_ = false;
};

}  // namespace eve::state
