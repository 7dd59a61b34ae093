#include "client/gatherer.h"

#include <utility>

#include "base/limits.h"

namespace eve::client {
namespace {

/// What a request costs beyond its bytes: here (the queue's entry), and more than it does in a
/// bundle (a 4-byte length).
constexpr size_t kOverheadBytes = 64;
/// More than the encoding of a bundle without its requests, signature included.
constexpr size_t kBundleHeadBytes = 512;

size_t cost(const Bytes& request) {
  return request.size() + kOverheadBytes;
}

static_assert(limits::kMaxRequestBytes + kOverheadBytes + kBundleHeadBytes <
              limits::kMaxBundleBytes);

}  // namespace

bool Gatherer::add(Bytes request, uint64_t ticket) {
  if (bytes_ + cost(request) > max_bytes_) return false;
  bytes_ += cost(request);
  waiting_.push_back({std::move(request), ticket});
  return true;
}

Gatherer::Gathered Gatherer::take() {
  Gathered gathered;
  size_t bundle_bytes = kBundleHeadBytes;
  while (!waiting_.empty() && gathered.requests.size() < limits::kMaxBundleRequests) {
    Waiting& next = waiting_.front();
    const size_t bytes = cost(next.request);
    if (bundle_bytes + bytes > limits::kMaxBundleBytes) break;
    bundle_bytes += bytes;
    bytes_ -= bytes;
    gathered.requests.push_back(std::move(next.request));
    gathered.tickets.push_back(next.ticket);
    waiting_.pop_front();
  }
  return gathered;
}

}  // namespace eve::client
