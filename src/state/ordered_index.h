// The keys of an ordered table in order: a skip list with a node for each object.
//
// Within a batch nodes are only ever added, so inserting is a CAS a level and reading needs no
// lock. A key's node is there before the key can be present: whoever sees a key with get() finds it
// here too, and the object's word stays the one place where an operation takes effect. Between
// batches the owner takes out the nodes of absent objects (sweep), or a queue would walk over all
// that it ever held.
//
// A walk that comes past absent nodes must know that all were absent at one instant. Each node
// counts how often its key has begun and ended to appear. A walk adds up the counts of the nodes it
// skips, reads the word it came for, and then goes over the same stretch again. Nodes are only
// added and counts only grow, so the same number of nodes and the same sum mean: no key came into
// the stretch in between, and what was absent stayed so. The walk then took effect when it read
// that last word. Otherwise it is tried again, and if need be done while nothing can appear or
// disappear (Table holds all shard locks).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "eve/bytes.h"
#include "eve/context.h"
#include "state/object.h"

namespace eve::state {

/// A place between keys: before or behind `key` (which need not be there), or behind all keys.
struct Cut {
  enum class Side : uint8_t { kBefore, kBehind, kEnd };

  static Cut before(ByteView key) { return {key, prefix_of(key), Side::kBefore}; }
  static Cut behind(ByteView key) { return {key, prefix_of(key), Side::kBehind}; }
  static Cut start() { return before({}); }
  static Cut end() { return {{}, 0, Side::kEnd}; }
  /// The first eight bytes, zeroes behind shorter keys: different prefixes compare as the keys do.
  static uint64_t prefix_of(ByteView key);

  ByteView key;
  uint64_t prefix;
  Side side;
};

class OrderedIndex {
 public:
  class Node {
   public:
    Object& object() const { return *object_; }

   private:
    friend class OrderedIndex;
    Node(Object* object, unsigned height);
    std::atomic<Node*>& next(unsigned level) {
      return reinterpret_cast<std::atomic<Node*>*>(this + 1)[level];
    }
    const std::atomic<Node*>& next(unsigned level) const {
      return reinterpret_cast<const std::atomic<Node*>*>(this + 1)[level];
    }
    bool is_before(const Cut& cut) const;

    const uint64_t prefix_;  // most comparisons end here, without a look at the object
    Object* const object_;
    std::atomic<uint32_t> begun_{0};  // times the key began to appear, and was done with it; both
    std::atomic<uint32_t> ended_{0};  // wrap round
  };

  explicit OrderedIndex(size_t workers);
  ~OrderedIndex();
  OrderedIndex(const OrderedIndex&) = delete;
  OrderedIndex& operator=(const OrderedIndex&) = delete;

  // ---- Any worker, at any time in a batch ----

  /// The node of `object`, made if need be. Lock-free. The object is in its table already, so
  /// running out of memory here ends the process.
  Node& insert(size_t worker, Object& object) noexcept;
  /// Around whatever may make a node's object present.
  class Appearing {
   public:
    explicit Appearing(Node& node) : node_(node) { ++node_.begun_; }
    ~Appearing() { ++node_.ended_; }
    Appearing(const Appearing&) = delete;
    Appearing& operator=(const Appearing&) = delete;

   private:
    Node& node_;
  };
  /// Notes that `object` has become absent, for sweep().
  void vanished(size_t worker, Object& object) noexcept {
    lists_[worker].vanished.push_back(&object);
  }

  /// A present object and what it held.
  struct Found {
    const Node* node = nullptr;  ///< null: there is none
    Version* version = nullptr;
  };
  /// The first, or last, present object between two cuts; nullopt if others were in the way: try
  /// again. Calls on_access() before every step. Without a context it is the last resort, which
  /// never fails: whoever calls makes sure that nothing appears or disappears meanwhile.
  /// `near`, if not null, is the node that `from` lies right behind.
  std::optional<Found> first(Context* context, const Cut& from, const Cut& to,
                             const Node* near) const;
  std::optional<Found> last(Context* context, const Cut& from, const Cut& to) const;

  /// For a walk that has come to `node`: starts to load what its next steps look at, one thing for
  /// each of them, as each can be found only by way of the one before.
  static void prefetch_behind(const Node& node);

  // ---- The owner, while no worker is inside ----

  /// Takes out the nodes of vanished objects that are absent still. To be called at the end of each
  /// batch, and before an object is destroyed.
  void sweep();
  size_t bytes() const;

 private:
  static constexpr unsigned kLevels = 12;  // for some 4^12 keys
  /// A quarter of the nodes of a level are on the next. Chains and shards use the hash's top bits.
  static unsigned height_of(const Object& object);
  static size_t footprint(unsigned height);
  static Node* make(Object* object, unsigned height);
  /// The last node on `level` before `cut`, from `node` on.
  static Node* advance(Node* node, unsigned level, const Cut& cut);
  /// The last node before `cut`; the head if there is none.
  Node* find_before(const Cut& cut) const;
  void find_before(const Cut& cut, Node** before) const;
  void unlink(const Object& object);

  /// What a walk has skipped.
  struct Skipped {
    uint64_t nodes = 0;
    uint64_t begun = 0;
    bool settled = true;  ///< none of the keys was just appearing
  };
  /// What `node` holds; adds it to `skipped` if that is nothing.
  static Found skip_unless_present(const Node& node, Skipped& skipped);
  /// Whether exactly the nodes of `skipped` lie between `left` and `right`, and none has begun to
  /// appear since.
  static bool still(const Skipped& skipped, const Node& left, const Node* right);

  struct alignas(64) List {
    std::vector<Object*> vanished;
    int64_t bytes = 0;  ///< taken less freed
  };
  Node* const head_;
  std::vector<List> lists_;
};

}  // namespace eve::state
