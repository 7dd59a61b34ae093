#include "state/changes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace eve::state {

namespace {

/// Reading and sorting one entry, measured; only the split into tasks depends on it.
constexpr uint64_t kEntryNs = 40;
/// Entries for one task: well above what handing it over costs.
constexpr size_t kTaskEntries = 10'000 / kEntryNs;
/// How many entries before its turn an entry's memory is asked for.
constexpr size_t kAhead = 8;

bool by_slot(const LeafBefore& a, const LeafBefore& b) {
  return a.slot < b.slot;
}
bool slot_below(const LeafBefore& leaf, uint64_t slot) {
  return leaf.slot < slot;
}

/// The entry's object and old version twice as far ahead as the new version, to which the object
/// leads.
void prefetch(const std::vector<UndoLog::Entry>& entries, size_t i, size_t end) {
  if (i + 2 * kAhead < end) {
    const UndoLog::Entry& far = entries[i + 2 * kAhead];
    Object::prefetch(far.object);
    if (far.before.present()) __builtin_prefetch(far.before.version());
  }
  if (i + kAhead < end) {
    const Word near = entries[i + kAhead].object->load();
    if (near.present()) __builtin_prefetch(near.version());
  }
}

void collect(const UndoLog& undo, const UndoLog::Entry& entry, Changes& changes) {
  const auto [object, before] = entry;
  if (!undo.is_first(entry)) {
    if (before.present()) changes.superseded.push_back(entry);
    return;
  }
  const Word now = object->load();
  Content& content = changes.contents[object->table];
  if (now.present()) {
    changes.value_bytes += now.version()->bytes().size();
    content.add(*object, *now.version());
  }
  if (before.present()) {
    changes.leaves.push_back(LeafBefore::of(object->slot, *object, *before.version()));
    content.remove(*object, *before.version());
    changes.version_bytes += before.version()->footprint();
    if (!now.present()) {
      changes.leaves.back().gone = true;
      ++object->references;
      changes.gone.push_back(object->slot);
    }
  } else if (now.present()) {
    changes.fresh.push_back(object);
  }
}

/// Entries [first, end) of all lists laid end to end.
Changes collect_part(const UndoLog& undo, size_t first, size_t end) {
  Changes changes;
  changes.leaves.reserve(end - first);
  changes.contents.resize(undo.tables());
  for (const UndoLog::List& list : undo.lists()) {
    const auto& entries = list.entries;
    const size_t stop = std::min(end, entries.size());
    for (size_t i = first; i < stop; ++i) {
      prefetch(entries, i, stop);
      collect(undo, entries[i], changes);
    }
    first -= std::min(first, entries.size());
    end -= std::min(end, entries.size());
  }
  sort_by_slot(changes.leaves);
  return changes;
}

}  // namespace

std::vector<Changes> collect_changes(const UndoLog& undo, Scheduler& scheduler) {
  size_t entries = 0;
  for (const UndoLog::List& list : undo.lists()) entries += list.entries.size();
  const size_t parts = std::clamp<size_t>(entries / kTaskEntries, 1, scheduler.workers());
  std::vector<Changes> changes(parts);
  const auto run = [&](size_t i) {
    changes[i] = collect_part(undo, i * entries / parts, (i + 1) * entries / parts);
  };
  if (parts == 1) {
    run(0);
  } else {
    scheduler.run(parts, entries / parts * kEntryNs, [&](size_t, size_t i) { run(i); });
  }
  return changes;
}

void sort_by_slot(std::vector<LeafBefore>& leaves) {
  constexpr size_t kFew = 200;
  constexpr unsigned kMostBits = 11;  // counters that stay in the first-level cache
  if (leaves.size() < kFew) {
    std::sort(leaves.begin(), leaves.end(), by_slot);
    return;
  }
  uint64_t all = 1;
  for (const LeafBefore& leaf : leaves) all |= leaf.slot;
  const auto width = static_cast<unsigned>(std::bit_width(all));
  const unsigned passes = (width + kMostBits - 1) / kMostBits;
  const unsigned bits = (width + passes - 1) / passes;
  std::vector<LeafBefore> sorted(leaves.size());
  for (unsigned pass = 0; pass < passes; ++pass) {
    const auto digit = [&](const LeafBefore& leaf) {
      return (leaf.slot >> (pass * bits)) & ((uint64_t{1} << bits) - 1);
    };
    std::array<uint32_t, size_t{1} << kMostBits> next{};
    for (const LeafBefore& leaf : leaves) ++next[digit(leaf)];
    uint32_t sum = 0;
    for (uint32_t& count : next) sum += std::exchange(count, sum);
    for (const LeafBefore& leaf : leaves) sorted[next[digit(leaf)]++] = leaf;
    leaves.swap(sorted);
  }
}

void LeafRuns::add(std::vector<LeafBefore> run) {
  size_ += run.size();
  if (!run.empty()) runs_.push_back(std::move(run));
}

std::vector<uint64_t> LeafRuns::sample(size_t count) const {
  const size_t step = std::max<size_t>(1, size_ / std::max<size_t>(1, count));
  std::vector<uint64_t> slots;
  size_t skip = 0;  // over to the next run: short runs are not to count for more
  for (const auto& run : runs_) {
    for (; skip < run.size(); skip += step) slots.push_back(run[skip].slot);
    skip -= run.size();
  }
  std::sort(slots.begin(), slots.end());
  return slots;
}

size_t LeafRuns::before(uint64_t slot) const {
  size_t count = 0;
  for (const auto& run : runs_) {
    const auto end = std::lower_bound(run.begin(), run.end(), slot, slot_below);
    count += static_cast<size_t>(end - run.begin());
  }
  return count;
}

std::vector<uint64_t> LeafRuns::merge(uint64_t first, uint64_t end, LeafBefore* out) const {
  struct Piece {
    const LeafBefore* next;
    const LeafBefore* end;
  };
  std::vector<Piece> pieces;
  size_t count = 0;
  for (const auto& run : runs_) {
    const LeafBefore* stop = run.data() + run.size();
    const LeafBefore* from = std::lower_bound(run.data(), stop, first, slot_below);
    stop = std::lower_bound(from, stop, end, slot_below);
    if (from != stop) pieces.push_back({from, stop});
    count += static_cast<size_t>(stop - from);
  }
  std::vector<uint64_t> slots;
  slots.reserve(count);
  while (!pieces.empty()) {
    // There are hardly more runs than workers: no heap.
    Piece* lowest = &pieces[0];
    for (Piece& piece : pieces) {
      if (piece.next->slot < lowest->next->slot) lowest = &piece;
    }
    *out++ = *lowest->next;
    slots.push_back(lowest->next->slot);
    if (++lowest->next == lowest->end) {
      *lowest = pieces.back();
      pieces.pop_back();
    }
  }
  return slots;
}

}  // namespace eve::state
