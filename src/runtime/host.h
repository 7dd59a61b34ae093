// What drives one protocol state machine: the common face of ExecutorHost, VerifierHost,
// ClientHost.
#pragma once

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::runtime {

/// Called on the loop's thread only.
class Host {
 public:
  virtual ~Host() = default;
  /// Once, first, when the loop runs.
  virtual void start(TimeUs now) = 0;
  virtual void receive(const wire::Message& message, Address from, TimeUs now) = 0;
  /// A link to the node that plays `peer` came up or broke.
  virtual void on_link(Address /*peer*/, bool /*up*/, TimeUs /*now*/) {}
  virtual TimeUs deadline() const = 0;
  virtual void tick(TimeUs now) = 0;
  /// All that had arrived was handed over. True if something was done.
  virtual bool idle(TimeUs now) = 0;
};

}  // namespace eve::runtime
