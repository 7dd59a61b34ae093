// The garbage collector of object graphs: mark and sweep, a bounded step at each seal (DESIGN 5.7).
//
// Where it stands is replicated state: keyed objects of the table "eve.gc", hashed, rolled back and
// transferred as all others are. What it does is a function of the state before the batch, of what
// the batch has changed, and of nothing else.
//
//   key ""               Control: phase, cursor, limit, live, born, gray_chunks
//   key chunk:u64, big   512 bytes: a bit for each of 4,096 slots that is reached;
//   endian               512 more, if any: a bit for each that is gray (reached, not scanned)
//
//   idle -> roots -> sever -> sweep -> idle
//
//   roots   the cursor passes all slots below `limit` (the tree's size when the cycle began) and
//           shades what keyed objects refer to
//   sever   unreached objects lose their value, and with it their references
//   sweep   unreached objects are deleted, bitmaps passed are dropped
//
// To shade is to make reached and gray. In every phase gray objects come first, the lowest slot
// first: what they refer to is shaded, and they are gray no more. At every seal within a cycle,
// before the step, what the batch has changed or made is scanned at once, and free-standing objects
// among it become reached ("changed" below).
//
// Nothing reachable from a keyed object is ever deleted, because at each seal, after the step:
//   A. what a reached object that is not gray refers to is reached. Scanning makes it so; whoever
//      changes the object later scans it anew; reached objects stay so until the cycle has ended.
//   B. what a keyed object refers to is reached, if the cursor has passed it in `roots` or it was
//      changed since the cycle began. One at a slot from `limit` on is new, so it was.
//   C. Hence when `roots` has ended and none is gray, all that is reachable is reached. What is
//      changed later keeps that up: it refers to what was reachable before (and so is reached) or
//      new. Should a service bring back what it could no longer reach, by a reference it kept where
//      it must not, that becomes gray, and neither `sever` nor `sweep` moves while there is gray.
// Nothing ever refers to a deleted object, so that no leaf's meaning changes behind its digest:
//   D. In `sweep` with none gray, unreached objects have no references (all were severed; the few
//      changed since are reached), reached ones refer to reached ones by A, and keyed ones by B.
//
// A cycle ends: scanned by the step are only objects made before it began, each once; cursors only
// go forward to `limit`. Garbage made meanwhile waits for the next cycle; the step grows with the
// objects that the batch has made, so that meanwhile at most one is made for eight objects or
// references looked at: objects of many references let more be made in a cycle, in proportion.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "eve/bytes.h"
#include "state/slots.h"
#include "state/table.h"

namespace eve::state {

class Collector {
 public:
  /// What a step may cost, in objects and references looked at, without new objects, and for each.
  static constexpr uint64_t kStep = 512;
  static constexpr uint64_t kStepPerNew = 8;
  /// A cycle begins when there are kGrowth times the objects that the last one found alive, and
  /// kSlack.
  static constexpr uint64_t kGrowth = 2;
  static constexpr uint64_t kSlack = 1024;

  /// Reads where the collector stands. `graph` and `slots` are as the batch leaves them, its new
  /// objects in their slots. Starts a cycle if it is time.
  Collector(const Table& graph, const Table& own, const Slots& slots);

  /// False: there is nothing to do at this seal.
  bool runs() const { return control_.phase != Phase::kIdle; }
  /// For each present object that the batch has changed or made; nothing in the batch's own seal
  /// that starts the cycle, which has them all before it.
  void changed(const Object& object);
  void step(uint64_t born);

  // What is to be written then. Objects may be both severed and unreachable.
  std::vector<std::pair<Bytes, std::optional<Bytes>>> writes() const;
  const std::vector<Object*>& severed() const { return severed_; }
  const std::vector<Object*>& unreachable() const { return unreachable_; }

 private:
  static constexpr uint64_t kChunk = 4096;
  using Bits = std::array<uint64_t, kChunk / 64>;
  enum class Phase : uint8_t { kIdle, kRoots, kSever, kSweep };
  struct Control {
    Phase phase = Phase::kIdle;
    uint64_t cursor = 0;                ///< slots below have been passed in this phase
    uint64_t limit = 0;                 ///< slots when the cycle began
    uint64_t live = 0;                  ///< objects from before the last cycle that it left
    uint64_t born = 0;                  ///< objects made since it began
    std::vector<uint64_t> gray_chunks;  ///< a bit for each chunk that has gray; no zeros at the end
    template <typename A>
    void fields(A& archive) {
      archive(phase, cursor, limit, live, born, gray_chunks);
    }
  };
  struct Chunk {
    Bits reached{};
    Bits gray{};
    Bytes stored;  ///< as it was read; empty if it was not there
    bool dropped = false;
  };

  bool is_free_standing(const Object& object) const { return object.table == graph_.number(); }
  Chunk& chunk(uint64_t slot);
  bool reached(uint64_t slot);
  void reach(uint64_t slot, bool gray);
  void scan(const Object& object);
  void shade(uint64_t handle);
  void set_gray_chunk(uint64_t index, bool gray);
  bool has_gray() const { return !control_.gray_chunks.empty(); }
  uint64_t scan_lowest_gray();
  uint64_t visit(uint64_t slot);
  void drop_chunk_below(uint64_t slot);
  void next_phase();

  const Table& graph_;
  const Table& own_;
  const Slots& slots_;
  Control control_;
  Bytes stored_;                      ///< the control object as it was read
  bool starts_ = false;               ///< the cycle
  size_t gray_from_ = 0;              ///< words of gray_chunks before this one are zero
  std::map<uint64_t, Chunk> chunks_;  ///< those looked at
  std::vector<Object*> severed_;
  std::vector<Object*> unreachable_;
};

}  // namespace eve::state
