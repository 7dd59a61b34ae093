// Everything behind Engine: the tables, the slots, the tree and the history, and how a batch goes
// from one to the next. See docs/state.md.
//
// Invariants between batches: an object is present if and only if it has a slot; the tree's leaves
// are the digests of the objects in the slots; history holds a record for each batch in
// (oldest, last]; an object that is absent and named by no record does not exist.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/scheduler.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/result.h"
#include "state/changes.h"
#include "state/content.h"
#include "state/engine.h"
#include "state/history.h"
#include "state/slots.h"
#include "state/table.h"
#include "state/tree.h"
#include "state/undo_log.h"

namespace eve::state {

class Store {
 public:
  Store(const crypto::Digester& digester, size_t workers);
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

  // For Fetch.
  bool is_open() const { return undo_.is_open(); }
  const crypto::Digester& digester() const { return digester_; }
  size_t tables() const { return tables_.size(); }
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

 private:
  Table& table_of(const Object& object) { return *tables_[object.table]; }
  void hash_leaf(uint64_t slot, crypto::Digest& out) const;
  void hash_version(const Object& object, const Version& version, crypto::Digest& out) const;
  class HashedLeaves;
  uint64_t value_bytes(const std::vector<uint64_t>& slots) const;
  bool leaves_are_hashed(const std::vector<uint64_t>& slots, Scheduler& scheduler) const;
  Replaced update_tree(std::vector<uint64_t> dirty, Scheduler& scheduler);

  // The end of the open batch.
  LeafRuns settle_leaves(Record& record, Scheduler& scheduler, uint64_t& value_bytes);
  void hash_leaves(const LeafRuns& leaves, uint64_t value_bytes, Record& record,
                   Scheduler& scheduler);
  void place_new(const std::vector<Object*>& fresh, Record& record);
  Record new_record() const;
  void discard_writes();
  void end_batch();
  void finish(Record& record, Scheduler& scheduler);

  // Going back, and forgetting.
  void undo(Record& record, std::vector<uint64_t>& dirty, std::vector<Object*>& vacated);
  void restore_leaf(const LeafBefore& leaf);
  void undo_records_after(BatchNumber n, Scheduler& scheduler);
  void drop_oldest();
  void trim_history();
  void remove_if_unused(Object& object);
  void free_version(const Object& object, Version* version);

#ifdef EVE_VERIFY
  void verify_undo() const;
  void verify_unreachable() const;
#endif

  // Installing.
  void clear_leaf(uint64_t slot, Record& record);
  bool fill_leaf(uint64_t slot, const Leaf& leaf);

  const crypto::Digester& digester_;
  UndoLog undo_;
  std::vector<std::unique_ptr<Table>> tables_;
  Slots slots_;
  Tree tree_;
  History history_;
  BatchNumber last_;
  BatchNumber committed_;
  crypto::Digest root_;
  std::vector<Content> contents_;  ///< by table, as of the last seal
};

}  // namespace eve::state
