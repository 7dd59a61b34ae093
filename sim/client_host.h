// A client in the simulated world: makes requests in bursts, checks every reply.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "client/session.h"
#include "sim/checkers.h"
#include "sim/host.h"
#include "sim/reply_gate.h"
#include "sim/workload.h"

namespace eve::sim {

struct ClientSetup {
  client::SessionOptions options;
  uint32_t requests = 0;  ///< to make, spread over `duration_us`
  uint32_t burst = 1;     ///< at once, at most
  TimeUs duration_us = 0;
  TimeUs sleep_us = 0;  ///< halfway; 0: it does not sleep
  bool may_lose_session = false;
};

class ClientHost final : public Host {
 public:
  /// The references outlive the host.
  ClientHost(const Surroundings& around, const ClientSetup& setup, uint64_t seed,
             const crypto::Authenticator& authenticator, const crypto::Digester& digester,
             Workload& workload, ReplyChecker& replies, ReplyGate& gate);

  /// One more request, beyond those of the setup.
  void nudge();
  /// The link to an executor broke.
  void disconnect(Address executor);

  bool done() const { return made_ >= setup_.requests && session_.status().outstanding == 0; }
  client::Session::Status status() const { return session_.status(); }
  /// When the last answer came, but for nudges.
  TimeUs answered_at() const { return answered_at_; }
  /// Nobody waits any more for what is not answered: it may have run, and others may have seen it.
  void leave_unanswered();
  /// How long it has been making requests: until the last one, but for nudges and its sleep.
  TimeUs asking_us() const { return asking_us_; }

 private:
  void on_start() override;
  const Refusals& refusals() const override { return session_.refusals(); }
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override { return session_.deadline(); }
  void on_crash() override {}

  void schedule_burst();
  void make_request();
  void carry_out(const client::Outbox& out);
  void follow_bundle(const wire::Bundle& bundle);
  void check_session(SessionId session);
  void check(const client::Completion& completion);

  ClientSetup setup_;
  Workload& workload_;
  ReplyChecker& replies_;
  ReplyGate& gate_;
  const crypto::Digester& digester_;
  client::Session session_;
  uint32_t made_ = 0;
  uint64_t completed_ = 0;
  TimeUs answered_at_ = 0;
  TimeUs asking_us_ = 0;
  TimeUs slept_us_ = 0;
  bool nudged_ = false;
  struct Waiting {
    Bytes bytes;
    TimeUs made_at = 0;
  };
  std::deque<Waiting> waiting_;  ///< requests without a completion, oldest first
  /// Which bundle carries which requests: by ticket of the first one that is not complete.
  struct Carried {
    BundleName bundle;
    uint64_t end = 0;  ///< ticket after its last one
  };
  std::deque<Carried> carried_;
  uint64_t carried_until_ = 0;
  BundleName opening_;  ///< the bundle that opens the session
  SessionId opened_;    ///< the session that it believes in
};

}  // namespace eve::sim
