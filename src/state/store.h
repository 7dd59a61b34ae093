// Everything behind Engine: the tables, the slots, the tree and the history, and how a batch goes
// from one to the next. See docs/state.md.
//
// Invariants between batches: an object is present if and only if it has a slot; the tree's leaves
// are the digests of the objects in the slots; history holds a record for each batch in
// (oldest, last]; an object that is absent and named by no record does not exist.
//
// Of an object that is absent, Object::references tells whether a record names it. It counts only
// the records after whose batch the object was gone, so that a commit touches no object but these:
// - A record names an object if the object was present before its batch. If it is absent now, that
//   batch or a later one made it so for the last time, and says so: no such record, no record.
// - Records are dropped oldest first. Once the last one that says so goes, there is none before it,
//   and none after it names the object. So whoever takes the count to 0 looks whether the object
//   may go: dropping a record does; undoing one makes the object present, unless it takes back its
//   making as well, and then looks too.
// - An import fills and empties an empty store beside its history, and so ends where it began or
//   drops all records.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/scheduler.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/result.h"
#include "state/changes.h"
#include "state/content.h"
#include "state/delta_format.h"
#include "state/engine.h"
#include "state/history.h"
#include "state/pin.h"
#include "state/slots.h"
#include "state/table.h"
#include "state/tree.h"
#include "state/undo_log.h"

namespace eve::state {

class Store {
 public:
  Store(const crypto::Digester& digester, size_t workers, const HistoryLimits& limits);
  ~Store();

  // As in Engine.
  Table& table(ByteView name, TableKind kind);
  void begin(BatchNumber n);
  void mark();
  void undo_to_mark();
  crypto::Digest seal(Scheduler& scheduler);
  void commit(BatchNumber n);
  void rollback(BatchNumber n, Scheduler& scheduler);
  BatchNumber last() const { return last_; }
  BatchNumber committed() const { return committed_; }
  BatchNumber oldest() const;
  const crypto::Digest& root() const { return root_; }
  std::optional<crypto::Digest> root_at(BatchNumber n) const;
  crypto::Digest recompute_root() const;
  std::optional<Bytes> node(BatchNumber n, TreeNode id) const;
  Engine::Counts counts() const;
  Engine::Use use() const;
  uint64_t logical_bytes() const;
  std::optional<Pin> pin(BatchNumber n);
  void unpin(const PinState& pin);

  // A version that is held; see VersionView.
  uint64_t slots_at(BatchNumber n) const;
  std::optional<crypto::Digest> digest_at(BatchNumber n, TreeNode id) const;
  std::optional<ByteView> value_at(BatchNumber n, const Table& table, ByteView key) const;
  /// `count` digests of a level from `first` on, which begins a family or all are of one.
  Bytes digests_at(BatchNumber n, uint8_t level, uint64_t first, uint64_t count) const;
  /// `count` leaves from `first` on, all in the tree.
  std::vector<LeafAt> leaves_at(BatchNumber n, uint64_t first, uint64_t count) const;
  /// Appends the payload of a leaf as of `n`: the one place where a leaf becomes bytes to send.
  void encode_as_of(BatchNumber n, const Object& object, const Version& version,
                    Bytes& payload) const;

  // For Fetch.
  bool is_open() const { return undo_.is_open(); }
  const crypto::Digester& digester() const { return digester_; }
  /// Whether a store with these tables can have such a leaf, from a peer.
  bool can_have(const Leaf& leaf) const;
  const Tree& tree() const { return tree_; }
  /// A state as its differences from this one. `leaves` by ascending slot, each with what is to be
  /// there (nullopt: free); every slot beyond the current size is listed.
  struct Target {
    BatchNumber number;
    crypto::Digest root;
    uint64_t slots = 0;
    std::vector<std::pair<uint64_t, std::optional<Leaf>>> leaves;
  };
  Status install(const Target& target, Scheduler& scheduler);

  // For DeltaSource and DeltaSink; see store_delta.cc.
  /// Nullopt if what batch `n` changed is not held.
  std::optional<DeltaHeader> delta_header(BatchNumber n) const;
  std::optional<uint64_t> encode_changes(BatchNumber n, uint64_t from, DeltaEncoder& encoder,
                                         size_t enough, Bytes& out) const;
  /// What one slot is to hold: another version of its object, or another object; or nothing.
  struct Staged {
    uint64_t slot;
    Version* version = nullptr;  ///< owned; references in it are slots still
    Bytes leaf;                  ///< payload of another object
  };
  /// A batch that has not happened yet. `leaves` by ascending slot.
  struct Staging {
    uint64_t slots = 0;  ///< of the state after it, if anything is staged
    std::vector<Staged> leaves;
  };
  std::optional<std::string> stage(const std::vector<DeltaEntry>& entries, Staging& staging);
  void unstage(Staging& staging);
  bool apply(Staging& staging, const crypto::Digest& root, Scheduler& scheduler);

  // For Importer: filling a store without slots, leaf by leaf; see store_import.cc.
  uint64_t slots() const { return slots_.size(); }
  void import_resize(uint64_t slots);
  /// Where the leaf's object is now, if it is anywhere.
  std::optional<uint64_t> import_slot_of(const Leaf& leaf) const;
  /// Preconditions: the slot is free, and so is the leaf's object.
  void import_leaf(uint64_t slot, const Leaf& leaf);
  void import_clear(uint64_t slot);
  /// Clears the slots of objects for which `stays(table's name, key)` is false.
  void import_leave_out(const std::function<bool(ByteView, ByteView)>& stays);
  /// `root`: what it must be; nullopt: whatever it is.
  Status import_finish(BatchNumber n, const std::optional<crypto::Digest>& root,
                       Scheduler& scheduler);
  void import_abandon();

 private:
  Table& table_of(const Object& object) { return *tables_[object.table]; }
  void hash_leaf(uint64_t slot, crypto::Digest& out) const;
  void hash_version(const Object& object, const Version& version, crypto::Digest& out) const;
  class HashedLeaves;
  class RestoredLeaves;
  uint64_t value_bytes(const std::vector<uint64_t>& slots) const;
  bool are_restored(const std::vector<LeafBefore>& leaves, Scheduler& scheduler) const;
  Replaced update_tree(std::vector<uint64_t> dirty, Scheduler& scheduler);

  // The end of the open batch.
  LeafRuns settle_leaves(Record& record, Scheduler& scheduler, uint64_t& value_bytes);
  void hash_leaves(const LeafRuns& leaves, uint64_t value_bytes, Record& record,
                   Scheduler& scheduler);
  void place(Object* made, Record& record);
  static void count_gone(std::vector<LeafBefore>& leaves);
  void place_new(std::vector<Object*> fresh, Record& record);
  Record new_record() const;
  void discard_writes();
  void end_batch();
  void finish(Record& record, Scheduler& scheduler);

  // Going back, and forgetting.
  void undo(const Record& record, std::vector<Object*>& vacated);
  Object* object_now(const LeafBefore& leaf) const;
  void restore_leaf(const LeafBefore& leaf);
  void undo_records_after(BatchNumber n, Scheduler& scheduler);
  void drop_oldest();
  void trim_history(uint64_t added);
  void remove_if_unused(Object& object);
  void free_version(const Object& object, Version* version);
  void free_version(const LeafBefore& leaf);

#ifdef EVE_VERIFY
  void verify_undo() const;
  void verify_unreachable() const;
  void verify_references() const;
#endif

  // Installing.
  void clear_leaf(uint64_t slot, Record& record);
  Object* installed_object(const Leaf& leaf, Object* before);
  bool fill_leaf(uint64_t slot, const Leaf& leaf, Object* before);
  void refer(uint64_t slot, Bytes value, ByteView references);
  void import_references();

  // Deltas.
  LeafAt leaf_at(BatchNumber n, uint64_t slot) const;
  void prefetch_change(const std::vector<LeafBefore>& leaves, size_t i) const;
  std::optional<std::string> stage(const DeltaEntry& entry, Staging& staging);
  std::optional<Leaf> leaf_as_of(BatchNumber n, const LeafAt& at, Bytes& value) const;
  void change_leaf(Staged& staged, Record& record);

  // Object graphs (store_graph.cc).
  void make_graph(Table& graph);
  bool is_free_standing(const Object& object) const {
    return graph_ != nullptr && object.table == graph_->number();
  }
  uint64_t slot_of(uint64_t handle) const;
  uint64_t slot_as_of(BatchNumber n, uint64_t handle) const;
  void encode_now(const Object& object, const Version& version, Bytes& payload) const;
  bool graph_at_work() const;
  std::vector<Object*> changed_referrers(const Record& record) const;
  void place_births(const std::vector<Object*>& fresh, Record& record);
  void collect_garbage(Record& record);
  void replace_in(Record& record, Object& object, Version* version);
  void overwrite(Object& object, ByteView value, Record& record);
  void erase(Object& object, Record& record);

  const crypto::Digester& digester_;
  UndoLog undo_;
  std::vector<std::unique_ptr<Table>> tables_;
  Table* graph_ = nullptr;      ///< free-standing objects; null: the service has no Graph
  Table* collector_ = nullptr;  ///< the state of the garbage collector (gc.h); null with it
  Slots slots_;
  Tree tree_;
  History history_;
  Pins pins_;
  const HistoryLimits history_limits_;
  BatchNumber last_;
  BatchNumber committed_;
  crypto::Digest root_;
  std::vector<Content> contents_;  ///< by table, as of the last seal
};

}  // namespace eve::state
