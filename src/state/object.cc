#include "state/object.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace eve::state {

namespace {

void* allocate(size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

Version* Version::make(uint64_t stamp, ByteView bytes, Layout layout, ByteView references) {
  EVE_CHECK(bytes.size() + references.size() <= kMaxValueBytes,
            "value too long: check sizes at the door");
  // At least sizeof(Version): the header's padding belongs to the type.
  const size_t size = header(layout) + bytes.size() + trailer(references);
  void* block = allocate(std::max(sizeof(Version), size));
  const bool refers = !references.empty();
  auto* version = new (block) Version(stamp, static_cast<uint32_t>(bytes.size()), layout, refers);
  if (!bytes.empty()) std::memcpy(version->data(), bytes.data(), bytes.size());
  if (refers) {
    const auto list_size = static_cast<uint32_t>(references.size());
    char* list = version->data() + bytes.size();
    std::memcpy(list, &list_size, sizeof list_size);
    std::memcpy(list + sizeof list_size, references.data(), references.size());
  }
  return version;
}

ByteView Version::references() const {
  if (!refers_) return {};
  uint32_t list_size = 0;
  const char* list = data() + size_;
  std::memcpy(&list_size, list, sizeof list_size);
  return {list + sizeof list_size, list_size};
}

void Version::destroy(Version* version) {
  std::free(version);
}

Object* Object::make(uint64_t hash, uint16_t table, ByteView key) {
  EVE_CHECK(key.size() <= kMaxKeyBytes, "key too long: check sizes at the door");
  void* block = allocate(sizeof(Object) + key.size());
  auto* object = new (block) Object(hash, table, static_cast<uint32_t>(key.size()));
  if (!key.empty()) std::memcpy(static_cast<char*>(block) + sizeof(Object), key.data(), key.size());
  return object;
}

void Object::destroy(Object* object) {
  std::free(object);
}

}  // namespace eve::state
