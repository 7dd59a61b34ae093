// Where the host of a role sends: to seats and to clients, which are all that its state machine
// knows (docs/membership.md). Which nodes those are is the gate's business.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "runtime/refusal_log.h"
#include "wire/messages.h"

namespace eve::runtime {

/// On the loop's thread only.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Takes the sends out of `sends`, which keeps its memory.
  virtual void send(std::vector<wire::Send>& sends) = 0;
  /// What has been sent leaves at once, rather than at the end of the turn.
  virtual void flush() = 0;
  /// The node that sits there now; "" if none does.
  virtual std::string name_of(Address seat) const = 0;
  /// Whether a message to `seat` would have a way now.
  virtual bool reachable(Address seat) const = 0;
  virtual RefusalLog& refusals() = 0;
};

}  // namespace eve::runtime
