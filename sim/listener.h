// Somebody who watches what correct nodes say to each other: a checker, or a counter.
#pragma once

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::sim {

class Listener {
 public:
  virtual ~Listener() = default;
  /// A node's own code sends this; nothing has been distorted, lost or delayed yet.
  virtual void sent(Address from, const wire::Send& send) = 0;
};

}  // namespace eve::sim
