#include "state/placement.h"

#include <algorithm>
#include <deque>
#include <tuple>

#include "state/references.h"

namespace eve::state {

namespace {

/// A new object with the start of its key beside it: most comparisons need no cache miss.
struct NewObject {
  explicit NewObject(Object* made) : table(made->table), object(made) {
    const ByteView key = made->key();
    for (size_t i = 0; i < sizeof prefix; ++i) {
      prefix = (prefix << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
    }
  }
  bool operator<(const NewObject& other) const {
    if (table != other.table) return table < other.table;
    if (prefix != other.prefix) return prefix < other.prefix;
    return object->key() < other.object->key();
  }

  uint16_t table;
  uint64_t prefix = 0;
  Object* object;
};

}  // namespace

std::vector<Object*> in_slot_order(const std::vector<Object*>& fresh) {
  std::vector<NewObject> ordered(fresh.begin(), fresh.end());
  std::sort(ordered.begin(), ordered.end());
  std::vector<Object*> result;
  result.reserve(ordered.size());
  for (const NewObject& made : ordered) result.push_back(made.object);
  return result;
}

void place_free_standing(const Table& graph, const std::vector<Object*>& changed,
                         const std::vector<Object*>& fresh, std::vector<Birth> births,
                         const std::function<void(Object*)>& place) {
  std::deque<Object*> open(changed.begin(), changed.end());
  open.insert(open.end(), fresh.begin(), fresh.end());
  const auto reach = [&](Object* object) {
    // A free-standing object keeps its slot for life: one without is new and not placed yet.
    if (object == nullptr || object->slot != kNoSlot || !object->load().present()) return;
    place(object);
    open.push_back(object);
  };
  const auto walk = [&] {
    while (!open.empty()) {
      const Version& version = *open.front()->load().version();
      open.pop_front();
      each_reference(version.references(), version.bytes(),
                     [&](uint64_t handle) { reach(graph.named(handle)); });
    }
  };
  walk();
  std::stable_sort(births.begin(), births.end(), [](const Birth& a, const Birth& b) {
    return std::tie(a.order.request, a.order.sequence) <
           std::tie(b.order.request, b.order.sequence);
  });
  for (const Birth& birth : births) {
    reach(birth.object);
    walk();
  }
}

}  // namespace eve::state
