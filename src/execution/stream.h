// What orders bundles: a client's session is a stream of calls, numbered without gaps; every
// opening is a stream of its own, named by its nonce.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::execution {

struct Stream {
  uint16_t client = 0;
  SessionId session;    ///< 0 for an opening, and for a change of the members
  RequestNumber nonce;  ///< 0 for a session's calls; of a change the epoch that it begins
  auto operator<=>(const Stream&) const = default;

  static Stream of(const wire::Bundle& bundle) {
    if (bundle.kind == wire::BundleKind::kCall) {
      return {bundle.client, bundle.session, RequestNumber()};
    }
    return {bundle.client, SessionId(), bundle.first};
  }
};

/// The number that the bundle after `bundle` starts with; an opening takes one number.
inline RequestNumber end_of(const wire::Bundle& bundle) {
  if (bundle.kind != wire::BundleKind::kCall) return bundle.first.next();
  return RequestNumber(bundle.first.value() + bundle.requests.size());
}

}  // namespace eve::execution

template <>
struct std::hash<eve::execution::Stream> {
  size_t operator()(const eve::execution::Stream& stream) const {
    const uint64_t mixed = (stream.session.value() ^ stream.nonce.value()) * 0x9e3779b97f4a7c15ull;
    return static_cast<size_t>(mixed ^ (uint64_t{stream.client} << 48));
  }
};
