// Requests that wait to leave, and how many of them make up the next bundle (rule C1). Bounded in
// bytes. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "eve/bytes.h"

namespace eve::client {

class Gatherer {
 public:
  explicit Gatherer(size_t max_bytes) : max_bytes_(max_bytes) {}

  /// False if too much is waiting already. A request counts with its book-keeping, so that endless
  /// empty requests are too much, too.
  bool add(Bytes request, uint64_t ticket);
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

  struct Gathered {
    std::vector<Bytes> requests;
    std::vector<uint64_t> tickets;
  };
  /// The oldest requests, as many as fit into one bundle; at least one. Precondition: !empty().
  Gathered take();

 private:
  struct Waiting {
    Bytes request;
    uint64_t ticket;
  };
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace eve::client
