// What a request is going to touch, as far as can be told from its bytes: the mixer's input
// (OSDI 2012 paper, section 3.1). A hint: too wide costs parallelism, too narrow may cost a repair;
// neither can make a reply wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "eve/bytes.h"

namespace eve {

/// A set of keys, each read or written. Reused from request to request by its owner; not
/// thread-safe. A key is any byte string (`table`, `user:17`); only its 64-bit hash is kept, so two
/// keys that collide look like a conflict, which is harmless.
class Footprint {
 public:
  struct Key {
    uint64_t hash;
    bool write;
  };

  void read(ByteView key) { add(key, false); }
  void write(ByteView key) { add(key, true); }
  /// This request may touch anything: it will run with no other beside it.
  void alone() { alone_ = true; }

  bool is_alone() const { return alone_; }
  const std::vector<Key>& keys() const { return keys_; }
  void clear() {
    keys_.clear();
    alone_ = false;
  }

 private:
  void add(ByteView key, bool write);

  std::vector<Key> keys_;
  bool alone_ = false;
};

}  // namespace eve
