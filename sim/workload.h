// A service, the requests that clients make of it, and what is right about the replies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "eve/bytes.h"
#include "execution/runner.h"

namespace eve::sim {

/// One request as its client saw it.
struct Seen {
  uint16_t client = 0;
  uint64_t number = 0;  ///< of the client's requests
  TimeUs invoked = 0;
  TimeUs completed = 0;
  ByteView request;
  std::optional<ByteView> reply;  ///< none: it may have run, or may yet
};

class Workload {
 public:
  virtual ~Workload() = default;

  virtual execution::MakeService service() const = 0;
  /// Footprints name all that requests touch: every history equals the sequential one.
  virtual bool right_footprints() const = 0;
  /// A batch run in order gives the same everywhere.
  virtual bool deterministic() const { return true; }
  /// Executors may lie. One of them may say what a correct one came to, and then that is agreed
  /// upon, although others would come to something else.
  virtual void expect_liars() {}
  /// Whether what was agreed upon for this request may differ from running it in order.
  virtual bool unforeseeable(ByteView /*request*/) const { return false; }
  /// The next request of a client. `number` counts its requests from 0.
  virtual Bytes request(uint16_t client, uint64_t number, Random& random) = 0;
  /// One of a client that nobody checks: what it does must not disturb what check() knows of the
  /// others, and running it twice must show in the reply.
  virtual Bytes rogue_request(uint16_t client, uint64_t number, Random& random) {
    return request(client, number, random);
  }
  /// A client accepted this reply to its request `number`; replies come in order. Throws Violation.
  virtual void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) = 0;
  /// Replicas are two, with no verifiers between them. Before anything else.
  virtual void between_two() {}
  /// The client was told that its requests from `number` to before `end`, the rest of one bundle,
  /// are quarantined. Throws Violation: the requests of most services never are.
  virtual void quarantined(uint16_t client, uint64_t number, uint64_t end);
  /// One more thing that a client saw, for the history as a whole: its request number `number`,
  /// made at `invoked`, was answered at `completed`; or, without a reply, nobody knows.
  virtual void saw(const Seen& /*seen*/) {}
  /// Whether the history as a whole makes sense. Throws Violation.
  virtual void check_history() const {}
  /// A client's session was lost, and with it the answer to its request `number`. Throws Violation
  /// unless the workload expects that.
  virtual void lost(uint16_t client, uint64_t number);
};

/// Null if there is no workload of that name.
std::unique_ptr<Workload> make_workload(const std::string& name);
const std::vector<std::string>& workload_names();

}  // namespace eve::sim
