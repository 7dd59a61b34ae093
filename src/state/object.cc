#include "state/object.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace eve::state {

namespace {

void* take(size_t size, Magazine* magazine) {
  return magazine == nullptr ? allocate(size) : magazine->take(size);
}

void give(void* block, size_t size, Recycler* recycler) {
#ifdef EVE_VERIFY
  std::memset(block, kPoison, size);
#endif
  if (recycler == nullptr) {
    std::free(block);
  } else {
    recycler->give(block, size);
  }
}

}  // namespace

Version* Version::make(uint64_t stamp, ByteView bytes, Layout layout, Magazine* magazine) {
  EVE_CHECK(bytes.size() <= kMaxValueBytes, "value too long: check sizes at the door");
  void* block = take(block_bytes(bytes.size(), layout), magazine);
  auto* version = new (block) Version(stamp, static_cast<uint32_t>(bytes.size()), layout);
  if (!bytes.empty()) std::memcpy(version->data(), bytes.data(), bytes.size());
  return version;
}

void Version::destroy(Version* version, Recycler* recycler) {
  give(version, block_bytes(version->size_, version->layout_), recycler);
}

Object* Object::make(uint64_t hash, uint16_t table, ByteView key, Magazine* magazine) {
  EVE_CHECK(key.size() <= kMaxKeyBytes, "key too long: check sizes at the door");
  void* block = take(sizeof(Object) + key.size(), magazine);
  auto* object = new (block) Object(hash, table, static_cast<uint32_t>(key.size()));
  if (!key.empty()) std::memcpy(static_cast<char*>(block) + sizeof(Object), key.data(), key.size());
  return object;
}

void Object::destroy(Object* object, Recycler* recycler) {
  give(object, sizeof(Object) + object->key_size, recycler);
}

}  // namespace eve::state
