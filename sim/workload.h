// A service, the requests that clients make of it, and what is right about the replies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "eve/bytes.h"
#include "execution/runner.h"

namespace eve::sim {

class Workload {
 public:
  virtual ~Workload() = default;

  virtual execution::MakeService service() const = 0;
  /// Footprints name all that requests touch: every history equals the sequential one.
  virtual bool right_footprints() const = 0;
  /// The next request of a client. `number` counts its requests from 0.
  virtual Bytes request(uint16_t client, uint64_t number, Random& random) = 0;
  /// One of a client that nobody checks: what it does must not disturb what check() knows of the
  /// others, and running it twice must show in the reply.
  virtual Bytes rogue_request(uint16_t client, uint64_t number, Random& random) {
    return request(client, number, random);
  }
  /// A client accepted this reply to its request `number`; replies come in order. Throws Violation.
  virtual void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) = 0;
  /// A client's session was lost, and with it the answer to its request `number`. Throws Violation
  /// unless the workload expects that.
  virtual void lost(uint16_t client, uint64_t number);
};

/// By name: "bank", "racing", "kv"; null if there is no such service.
std::unique_ptr<Workload> make_workload(const std::string& name);

}  // namespace eve::sim
