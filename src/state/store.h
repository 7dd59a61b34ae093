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
  /// Whether an engine with these tables can have such a leaf.
  bool can_have(const Leaf& leaf) const;

 private:
  Table& table_of(const Object& object) { return *tables_[object.table]; }
  void hash_leaf(uint64_t slot, crypto::Digest& out) const;
  uint64_t leaf_ns(const std::vector<uint64_t>& dirty) const;
  void update_tree(std::vector<uint64_t> dirty, Scheduler& scheduler, Replaced* replaced);

  // The end of the open batch.
  std::vector<Object*> collect_changes(Record& record);
  void place(Object* made, Record& record);
  void place_new(std::vector<Object*> fresh, Record& record);
  Record new_record() const;
  void discard_writes();
  void end_batch();
  void finish(Record& record, Scheduler& scheduler);

  // Going back, and forgetting.
  void undo(Record& record, std::vector<uint64_t>& dirty, std::vector<Object*>& vacated);
  void undo_records_after(BatchNumber n, Scheduler& scheduler);
  void drop_oldest();
  void trim_history();
  void remove_if_unused(Object& object);
  void free_version(Version* version);

  // Installing.
  void clear_leaf(uint64_t slot, Record& record);
  Object* installed_object(const Leaf& leaf, Object* before);
  bool fill_leaf(uint64_t slot, const Leaf& leaf, Object* before);
  void refer(uint64_t slot, const Leaf& leaf);

  // Object graphs (store_graph.cc).
  void make_graph(Table& graph);
  bool is_free_standing(const Object& object) const {
    return graph_ != nullptr && object.table == graph_->number();
  }
  uint64_t slot_of(uint64_t handle) const;
  uint64_t slot_as_of(BatchNumber n, uint64_t handle) const;
  void encode_now(const Object& object, Bytes& payload) const;
  void encode_as_of(BatchNumber n, const Object& object, const Version& version,
                    Bytes& payload) const;
  std::vector<Object*> changed_referrers(const Record& record) const;
  void place_births(const std::vector<Object*>& fresh, Record& record);
  void collect_garbage(Record& record);
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
  BatchNumber last_;
  BatchNumber committed_;
  crypto::Digest root_;
  int64_t freed_bytes_ = 0;  ///< less than what the workers' lists say was taken
};

}  // namespace eve::state
