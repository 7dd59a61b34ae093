// Keeps the replies of one connection in the order of its requests: what the front end answers by
// itself waits behind the replicated replies asked for earlier.
#pragma once

#include <cstdint>
#include <vector>

#include "eve/bytes.h"

namespace eve::kv {

/// Not thread-safe. No heap allocation per request once it has grown to the depth of the pipeline.
class ReplyQueue {
 public:
  enum class Kind : uint8_t {
    kResp,      ///< the reply is for the client as it is
    kVersions,  ///< the reply to WATCH's question
  };
  struct Expected {
    Kind kind = Kind::kResp;
    bool silent = false;       ///< the client does not want the reply (CLIENT REPLY)
    uint64_t watch_epoch = 0;  ///< for kVersions: which set of watches it belongs to
    Bytes after;               ///< goes out behind the reply
  };

  bool idle() const { return size_ == 0; }
  /// A request was submitted.
  void expect(Kind kind, bool silent, uint64_t watch_epoch);
  /// Bytes to go out behind everything expected so far. Precondition: not idle().
  void append(ByteView bytes);
  /// The oldest request, whose reply has come. Precondition: not idle().
  Expected pop();
  /// Bytes that wait here.
  size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  void grow();

  std::vector<Expected> ring_;  ///< its size is zero or a power of two
  size_t head_ = 0;
  size_t size_ = 0;
  size_t waiting_bytes_ = 0;
};

}  // namespace eve::kv
