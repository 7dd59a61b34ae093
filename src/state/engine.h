// The state engine of one replica: tables of objects, copy-on-write, the Merkle tree, versions.
//
//   begin(n) -> requests run on workers -> seal() -> ... -> commit(n) | rollback(m)
//
// Batches are numbered without gaps. Several sealed batches may be uncommitted; rollback drops the
// newest ones. Each step costs O(objects touched), whatever the size of the state (DESIGN 5.2).
//
// Thread safety: tables (eve/state.h) may be used by all workers between begin() and seal(), and
// read by the owner at any time; everything else by one owner thread while no worker is inside.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/scheduler.h"
#include "base/tree_node.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "eve/result.h"
#include "state/history_limits.h"
#include "state/pin.h"
#include "state/version_view.h"

namespace eve::state {

class Table;
enum class TableKind : uint8_t;

class Engine {
 public:
  /// `workers`: how many may be inside tables at once. `digester` must outlive the engine.
  /// `limits`: how much history is kept.
  Engine(const crypto::Digester& digester, size_t workers, const HistoryLimits& limits = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// The table called `name`, made if it does not exist yet. Tables are numbered in order of
  /// creation, and all are made before the first begin(). The first one of a name gives the kind.
  Table& table(ByteView name, TableKind kind);
  Table& table(ByteView name);  ///< of kind kHashed

  // ---- The life of a batch ----

  /// Opens batch `n`. Precondition: n == last() + 1, no batch is open.
  void begin(BatchNumber n);

  /// Marks a point to come back to; for requests that run one after the other on one worker. At
  /// most one mark: a new one replaces it.
  void mark();
  /// Undoes every write since mark().
  void undo_to_mark();

  /// Ends the open batch: gives new objects slots, hashes dirty paths on `scheduler`, and returns
  /// the root. The order and interleaving in which objects were touched leave no trace in it.
  crypto::Digest seal(Scheduler& scheduler);

  /// Everything up to `n` is final; undo lists become history, of which at most
  /// limits::kHistoryBatches and about 256 MiB are kept, or what pins need within their limits.
  /// Precondition: n <= last(), no batch is open.
  void commit(BatchNumber n);

  /// Drops the open batch, if any, and every sealed batch after `n`. Restores the exact root of
  /// `n`, and checks that. Precondition: committed() <= n.
  void rollback(BatchNumber n, Scheduler& scheduler);

  BatchNumber last() const;       ///< newest sealed batch; 0 at genesis
  BatchNumber committed() const;  ///< newest committed batch
  BatchNumber oldest() const;     ///< oldest version that node() and root_at() can still read

  crypto::Digest root() const;  ///< of last()
  std::optional<crypto::Digest> root_at(BatchNumber n) const;
  /// From every object anew, without the tree: for EVE_VERIFY, tests, and `eve doctor`. O(state).
  crypto::Digest recompute_root() const;

  // ---- What a batch has changed (DESIGN 6.8); in pieces: delta.h ----

  /// Canonical bytes (delta_format.h) of what sealed batch `n` has changed: the same on every
  /// replica. Fails if history does not hold it. O(objects touched, and batches since).
  Result<Bytes> delta(BatchNumber n) const;
  /// Does what batch `n` did elsewhere: begin(n) and seal() in one, ending in the root that the
  /// delta names; compare it with the token's. The bytes are untrusted: if they are not of batch
  /// n == last() + 1 on the state that is here, or lead elsewhere, an error says why, and nothing
  /// has changed. Precondition: no batch is open.
  Status apply(BatchNumber n, ByteView delta, Scheduler& scheduler);

  // ---- Versions (DESIGN 5.6) ----

  /// The state as of batch `n`; of a version that is not held, a view that answers nullopt.
  VersionView view(BatchNumber n) const;
  /// Keeps version `n`, which may be a speculative one, readable while batches commit; within the
  /// limits of `HistoryLimits::pinned_*`. Nullopt if it is not held any more, or not yet.
  std::optional<Pin> pin(BatchNumber n);

  // ---- State transfer (DESIGN 6.5) ----

  /// The payload of a node as of batch `n`; it hashes to the digest that its parent's payload names
  /// (and the root record's to root_at(n)). Nullopt if the version or the node is not there. For
  /// leaves no batch may be open.
  std::optional<Bytes> node(BatchNumber n, TreeNode id) const;

  struct Counts {
    uint64_t objects = 0;  ///< present in the newest version (as of the last seal)
    uint64_t slots = 0;    ///< size of the tree
    uint64_t bytes = 0;    ///< memory held; use() says by what
    uint64_t history_batches = 0;
  };
  Counts counts() const;

  /// Memory by container, in bytes; counts().bytes in detail. O(containers), no batch open.
  struct TableUse {
    Bytes name;
    uint64_t objects = 0;        ///< present as of the last seal
    uint64_t logical_bytes = 0;  ///< of their keys and values: the same on every replica
    uint64_t memory_bytes = 0;   ///< of objects, of versions (older ones too), and of the table
  };
  struct Use {
    std::vector<TableUse> tables;  ///< by number
    uint64_t slots = 0;            ///< which object is at which leaf
    uint64_t tree = 0;             ///< digests
    uint64_t history = 0;          ///< records of batches, without the versions they keep
    uint64_t retired = 0;          ///< versions that go when the open batch ends
    uint64_t recycler = 0;         ///< freed, and kept for use again
    uint64_t total() const {
      uint64_t sum = slots + tree + history + retired + recycler;
      for (const TableUse& table : tables) sum += table.memory_bytes;
      return sum;
    }
  };
  Use use() const;
  /// Bytes of the keys and values of all objects as of the last seal: a function of the state
  /// alone, the same on every replica. O(containers).
  uint64_t logical_bytes() const;

 private:
  friend class DeltaSink;
  friend class DeltaSource;
  friend class Fetch;
  friend class Importer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Brings an engine to the state with a given root, asking others for the nodes that differ. Pure:
/// the owner carries wants to peers and payloads back. Nothing of the engine changes until
/// install(); payloads that do not hash to what was asked are refused, so sources may lie.
class Fetch {
 public:
  /// Precondition: no batch open in `engine`. `engine` is not to be changed by others until the
  /// fetch is installed or destroyed.
  Fetch(Engine& engine, const crypto::Digest& root);
  ~Fetch();

  /// The next nodes to ask for, at most `limit`, not asked for yet. Empty with complete() false:
  /// wait for supplies.
  std::vector<TreeNode> wants(size_t limit);
  /// Forget that `id` was asked for: its source did not answer.
  void again(TreeNode id);
  /// False if the payload is not the node that was wanted; the node counts as not asked for.
  bool supply(TreeNode id, ByteView payload);
  bool complete() const;
  /// Replaces the state by the fetched one: last() == committed() == n, older history dropped.
  /// Precondition: complete(). Fails, leaving the engine unchanged, if the leaves do not add up to
  /// the root.
  Status install(BatchNumber n, Scheduler& scheduler);
  /// A new target: what has been fetched already is kept where it still matches.
  void retarget(const crypto::Digest& root);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::state
