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
    /// By table: memory of objects and versions that this worker has taken, less what it has
    /// retired or (the first worker's) the owner has freed. Only the sum over workers means much.
    std::vector<int64_t> memory;
    size_t retired_bytes = 0;  ///< memory of `retired`
  };

  explicit UndoLog(size_t workers) : lists_(workers), recycler_(workers) {}

  // ---- A worker, within a batch ----

  bool is_open() const { return open_; }
  uint64_t stamp() const { return stamp_; }
  /// Notes one write. `worker` is the caller's own. What is noted has happened and must not get
  /// lost, so running out of memory here ends the process.
  void note(size_t worker, const Written& written, size_t version_bytes) noexcept {
    List& list = lists_[worker];
    int64_t& memory = list.memory[written.object->table];
    memory += static_cast<int64_t>(version_bytes);
    if (written.created) note_made(worker, *written.object);
    if (written.before.stamp() != stamp_) {
      list.entries.push_back({written.object, written.before});
    } else if (written.before.present()) {
      retire(list, *written.object, written.before.version());
    }
  }
  /// Notes an object that was made; its first write may be noted later, or there may be none.
  void note_made(size_t worker, Object& object) noexcept {
    lists_[worker].created.push_back(&object);
    lists_[worker].memory[object.table] += static_cast<int64_t>(object.footprint());
  }
  /// Where `worker` takes memory for objects and versions from.
  Magazine& magazine(size_t worker) { return recycler_.of(worker); }
  void note_birth(size_t worker, const Birth& birth) noexcept {
    lists_[worker].births.push_back(birth);
  }
  /// A handle (references.h) that was never given out before. The owner, while no worker is inside,
  /// may be any worker.
  uint64_t next_handle(size_t worker) {
    return (uint64_t{worker} << 48) | ++lists_[worker].handles;
  }
  size_t workers() const { return lists_.size(); }

  // ---- The owner, while no worker is inside ----

  void add_table() {
    for (List& list : lists_) list.memory.push_back(0);
  }
  size_t tables() const { return lists_[0].memory.size(); }
  void open() {
    int64_t live = 0;
    for (size_t table = 0; table < tables(); ++table) live += memory(table);
    recycler_.begin_batch(static_cast<size_t>(live));
    first_stamp_ = ++stamp_;
    open_ = true;
    set_marks();
  }
  void mark() {
    ++stamp_;
    set_marks();
  }
  /// Whether `entry` says what its object held when the batch began. Where nothing was marked all
  /// do, and no version need be looked at.
  bool is_first(const Entry& entry) const {
    return stamp_ == first_stamp_ || entry.before.stamp() < first_stamp_;
  }
  /// Whether the open batch has written `word`.
  bool is_of_batch(Word word) const { return word.stamp() >= first_stamp_; }
  /// Frees `version`, which `object` held, when the batch has ended.
  void retire(const Object& object, Version* version) { retire(lists_[0], object, version); }
  /// Counts memory of objects and versions that the owner has taken or freed.
  void count_memory(size_t table, int64_t bytes) { lists_[0].memory[table] += bytes; }
  /// Memory of the objects and versions of `table`, without what is retired.
  int64_t memory(size_t table) const {
    int64_t sum = 0;
    for (const List& list : lists_) sum += list.memory[table];
    return sum;
  }
  Recycler& recycler() { return recycler_; }
  const Recycler& recycler() const { return recycler_; }
  std::vector<List>& lists() { return lists_; }
  const std::vector<List>& lists() const { return lists_; }
  /// Forgets the entries; what was retired or created has been dealt with.
  void close() {
    for (List& list : lists_) {
      list.entries.clear();
      list.created.clear();
      list.retired.clear();
      list.retired_bytes = 0;
      list.births.clear();
    }
    open_ = false;
  }

 private:
  static void retire(List& list, const Object& object, Version* version) {
    list.retired.push_back(version);
    list.retired_bytes += version->footprint();
    list.memory[object.table] -= static_cast<int64_t>(version->footprint());
  }
  void set_marks() {
    for (List& list : lists_) list.mark = list.entries.size();
  }

  std::vector<List> lists_;
  Recycler recycler_;
  uint64_t stamp_ = 0;
  uint64_t first_stamp_ = 0;
  bool open_ = false;
};

}  // namespace eve::state
