// What you write: a deterministic state machine over Eve's containers.
#pragma once

#include <memory>
#include <string>

#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/footprint.h"

namespace eve {

class State;

/// A replicated service. Keep every bit of state that replies depend on in Eve's containers
/// (eve/state.h), created in your constructor; keep nothing else that a request writes.
///
/// Thread safety: `execute` and `footprint` are called from several threads at once, on one object.
/// Determinism: a request's effect may depend on its bytes, the containers and the Context only.
class Service {
 public:
  virtual ~Service() = default;

  /// Names what `request` will read and write. Leaving `out` empty means "touches nothing shared";
  /// when unsure call `out.alone()`, which is what the default does. Must not read state.
  virtual void footprint(ByteView request, Footprint& out) const;

  /// Runs one request and appends its reply to `reply` (empty on entry). Any bytes may arrive in
  /// `request`: answer malformed ones with an error reply of your own. An exception that leaves
  /// this function undoes the request and gives the client the fixed error `kRequestFailed`.
  virtual void execute(Context& context, ByteView request, Bytes& reply) = 0;
};

/// Builds the service over an empty state; called once for each replica, and deterministic.
using ServiceFactory = std::unique_ptr<Service> (*)(State& state);

/// The whole reply of a request whose execution threw.
inline constexpr ByteView kRequestFailed = "-ERR request failed and was undone\r\n";

}  // namespace eve
