// Replies of one batch while it runs: each worker appends to a buffer of its own, so that a reply
// costs one copy and, in the steady state, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "eve/bytes.h"

namespace eve::execution {

/// Stands for a reply that would exceed a limit. The request itself was executed.
inline constexpr ByteView kReplyTooLarge = "-ERR reply too large\r\n";

/// Replies of one batch together: what a replica must be able to hold in memory at once.
inline constexpr size_t kMaxBatchReplyBytes = 256u << 20;

/// Thread safety: workers may call scratch() and keep() at once, each with its own number.
class ReplyStore {
 public:
  explicit ReplyStore(size_t workers);

  void start(size_t requests);
  /// The worker's buffer for the reply of the request at hand; empty.
  Bytes& scratch(size_t worker);
  /// Stores the reply of `request`, cut to kReplyTooLarge if it is longer than a reply may be.
  /// False if this worker now holds so much that all of them together might exceed the batch's
  /// limit.
  bool keep(size_t worker, size_t request, ByteView reply);
  /// As keep(), for requests that run in batch order on one worker: what does not fit into the
  /// batch's limit any more becomes kReplyTooLarge.
  void keep_in_order(size_t worker, size_t request, ByteView reply);

  /// Valid until start().
  ByteView at(size_t request) const;
  uint64_t bytes() const;

 private:
  struct alignas(64) Worker {
    Bytes scratch;
    Bytes kept;
  };
  struct Place {
    uint32_t worker = 0;
    uint32_t offset = 0;
    uint32_t size = 0;
  };
  void append(size_t worker, size_t request, ByteView reply);

  std::vector<Worker> workers_;
  std::vector<Place> places_;
  size_t worker_limit_;
};

}  // namespace eve::execution
