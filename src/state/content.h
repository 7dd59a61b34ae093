// What a table holds, as its users count: a function of the state alone.
#pragma once

#include <cstdint>

#include "state/object.h"

namespace eve::state {

/// Present objects and the bytes of their keys and values; or by how much these have changed.
struct Content {
  int64_t objects = 0;
  int64_t bytes = 0;

  void add(const Object& object, const Version& version) {
    ++objects;
    bytes += static_cast<int64_t>(object.key_size + version.bytes().size());
  }
  void remove(const Object& object, const Version& version) {
    --objects;
    bytes -= static_cast<int64_t>(object.key_size + version.bytes().size());
  }
  Content& operator+=(const Content& other) {
    objects += other.objects;
    bytes += other.bytes;
    return *this;
  }
  bool operator==(const Content&) const = default;
};

}  // namespace eve::state
