#include "execution/grain.h"

#include <algorithm>
#include <cmath>

namespace eve::execution {
namespace {

/// Waking a sleeping thread costs about 20 us (DESIGN 9).
constexpr double kChunkNs = 30'000;
/// More chunks than workers, so that uneven ones even out.
constexpr size_t kChunksPerWorker = 4;
constexpr double kForget = 7.0 / 8;
constexpr double kLeastNs = 20;

size_t divide_up(size_t value, size_t by) {
  return (value + by - 1) / by;
}

}  // namespace

void Grain::learn(uint64_t requests, TimeUs busy_us) {
  if (requests == 0 || busy_us < 0) return;
  const auto count = static_cast<double>(requests);
  weighted_requests_ = weighted_requests_ * kForget + count;
  weighted_ns_ = std::max(weighted_ns_ * kForget + 1000.0 * static_cast<double>(busy_us),
                          kLeastNs * weighted_requests_);
}

size_t Grain::chunk(size_t requests, size_t workers) const {
  if (workers == 1 || static_cast<double>(requests) * cost_ns() < 2 * kChunkNs) return requests;
  const auto least = static_cast<size_t>(std::ceil(kChunkNs / cost_ns()));
  const size_t chunk = std::max(least, divide_up(requests, workers * kChunksPerWorker));
  return divide_up(requests, divide_up(requests, chunk));
}

}  // namespace eve::execution
