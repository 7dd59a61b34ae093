// How many requests to hand to a worker at once: cheap ones in chunks, so that handing over costs
// little beside the work.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/ids.h"

namespace eve::execution {

/// A running estimate of what one request costs. Only speed depends on it, never a result.
class Grain {
 public:
  /// `requests` took `busy_us` of workers' time.
  void learn(uint64_t requests, TimeUs busy_us);
  /// Expected cost of one request.
  double cost_ns() const { return weighted_ns_ / weighted_requests_; }
  /// Requests per task for `requests` (at least 1) side by side: all of them where splitting does
  /// not pay, else chunks of some tens of microseconds, a few for each worker.
  size_t chunk(size_t requests, size_t workers) const;

 private:
  double weighted_ns_ = 1000;
  double weighted_requests_ = 1;
};

}  // namespace eve::execution
