// Bytes that wait for one socket: small pieces gathered in buffers, large payloads by reference, so
// that a broadcast's encoding is shared by all links.
#pragma once

#include <sys/uio.h>

#include <deque>

#include "eve/bytes.h"

namespace eve::runtime {

class OutputQueue {
 public:
  /// Copies.
  void append(ByteView bytes);
  /// Shares the payload if it is large.
  void append(const SharedBytes& payload);

  bool empty() const { return bytes_ == 0; }
  size_t bytes() const { return bytes_; }

  /// Fills at most `most` slots with the first bytes of the queue; returns how many.
  size_t gather(iovec* slots, size_t most) const;
  /// The first contiguous piece. Precondition: not empty.
  ByteView front() const;
  /// Drops the first `size` bytes, which have left.
  void consume(size_t size);
  void clear();

 private:
  struct Piece {
    Bytes owned;
    SharedBytes shared;
    ByteView view() const { return shared.empty() ? ByteView(owned) : shared.view(); }
  };
  std::deque<Piece> pieces_;
  size_t consumed_ = 0;  ///< of the first piece
  size_t bytes_ = 0;
};

}  // namespace eve::runtime
