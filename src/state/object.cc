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

Version* Version::make(uint64_t stamp, ByteView bytes, Layout layout) {
  EVE_CHECK(bytes.size() <= kMaxValueBytes, "value too long: check sizes at the door");
  // At least sizeof(Version): the header's padding belongs to the type.
  void* block = allocate(std::max(sizeof(Version), header(layout) + bytes.size()));
  auto* version = new (block) Version(stamp, static_cast<uint32_t>(bytes.size()), layout);
  if (!bytes.empty()) std::memcpy(version->data(), bytes.data(), bytes.size());
  return version;
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
