#include "state/placement.h"

#include <algorithm>

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

}  // namespace eve::state
