// A client's side of the protocol: one session, many requests outstanding, in order (DESIGN 5.5,
// 6.3). Gathers requests into signed bundles, sends them to the primary, retries at all executors,
// accepts a reply that r+1 executors vouch for. A state machine without I/O.
//
// A request gets exactly one completion: its reply; or, if the session was lost (expired, or the
// cluster lost it), an error that says that the request may or may not have been executed; or, if
// the cluster has quarantined its bundle, one that says that it was not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/refusals.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "eve/bytes.h"
#include "wire/messages.h"

namespace eve::client {

struct SessionOptions {
  FaultModel model{1, 0};
  uint16_t client = 0;                   ///< this client's index in the cluster
  uint64_t nonce = 0;                    ///< random: tells this session's opening from others
  TimeUs retry_after_us = 250'000;       ///< then at every executor; doubles up to 8 times that
  size_t max_bundles = 4;                ///< in flight at once; more requests wait and gather
  size_t max_waiting_bytes = 64u << 20;  ///< submit() refuses beyond
};

/// The caller's name for a request; comes back with the completion.
using Ticket = uint64_t;

struct Completion {
  Ticket ticket = 0;
  bool executed = true;  ///< false: outcome unknown unless `quarantined`; `reply` is empty
  /// It was not executed and never will be: executors cannot agree on it, or on another request of
  /// the same bundle.
  bool quarantined = false;
  SharedBytes payload;  ///< keeps `reply` alive
  ByteView reply;
};

struct Outbox {
  std::vector<wire::Send> sends;
  std::vector<Completion> completions;  ///< in order of submission
};

class Session {
 public:
  Session(const SessionOptions& options, const crypto::Authenticator& authenticator,
          const crypto::Digester& digester);
  ~Session();

  /// Opens the session.
  void start(TimeUs now, Outbox& out);
  /// Queues a request; it leaves with the next idle(). False: too much is waiting, try later.
  /// Precondition: request.size() <= limits::kMaxRequestBytes.
  bool submit(Bytes request, Ticket ticket);
  /// Sends what has gathered, if fewer than max_bundles are in flight.
  void idle(TimeUs now, Outbox& out);
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  /// The link to an executor broke: what was sent to it alone is sent to all at once.
  void on_disconnect(Address executor, TimeUs now, Outbox& out);
  /// Other nodes may sit at the executors' seats from now on (docs/membership.md, M13): what the
  /// ones before have said of open requests is forgotten, and those are sent to all.
  void on_new_members(TimeUs now, Outbox& out);
  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;

  struct Status {
    bool open = false;
    uint16_t primary = 0;
    size_t outstanding = 0;  ///< requests submitted and not completed
    uint64_t completed = 0;
    uint64_t quarantined = 0;  ///< of those completed
    uint64_t retries = 0;
    uint64_t sessions_lost = 0;
  };
  Status status() const;
  /// Executors whose replies were refused.
  const Refusals& refusals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::client
