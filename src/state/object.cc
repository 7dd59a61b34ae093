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

Version* Version::make(uint64_t stamp, ByteView bytes, Layout layout, Magazine* magazine,
                       ByteView references) {
  EVE_CHECK(bytes.size() + references.size() <= kMaxValueBytes,
            "value too long: check sizes at the door");
  const size_t trailer_size = trailer(references);
  void* block = take(block_bytes(bytes.size() + trailer_size, layout), magazine);
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

void Version::destroy(Version* version, Recycler* recycler) {
  give(version, version->block_size(), recycler);
}

void Version::destroy(Version* version, size_t block_size, Recycler& recycler) {
  give(version, block_size, &recycler);
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
