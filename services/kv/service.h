// The replicated half of the KV server: requests as in request.h, replies in RESP.
#pragma once

#include <memory>

#include "eve/service.h"
#include "eve/state.h"

namespace eve::kv {

/// Builds the service over an empty state (an execution::MakeService).
std::unique_ptr<Service> make_service(State& state);

/// The reply to a request that is not in the encoding of request.h.
inline constexpr ByteView kMalformedRequest = "-ERR malformed request\r\n";

}  // namespace eve::kv
