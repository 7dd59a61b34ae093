// A client that owes nobody anything: a correct session whose messages pass through strategies. Its
// requests are the workload's, its replies are not checked, it may never come to an end.
#pragma once

#include <cstdint>

#include "client/session.h"
#include "sim/host.h"
#include "sim/workload.h"

namespace eve::sim {

struct RogueSetup {
  client::SessionOptions options;
  uint32_t requests = 0;  ///< to make, about `every_us` apart
  TimeUs every_us = 10'000;
};

class RogueClient final : public Host {
 public:
  /// The references outlive the host.
  RogueClient(const Surroundings& around, const RogueSetup& setup, uint64_t seed,
              const crypto::Authenticator& authenticator, const crypto::Digester& digester,
              Workload& workload);

 private:
  void on_start() override;
  const Refusals& refusals() const override { return session_.refusals(); }
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override { return session_.deadline(); }
  void on_crash() override {}
  void make_request();

  RogueSetup setup_;
  Workload& workload_;
  client::Session session_;
  uint32_t made_ = 0;
};

}  // namespace eve::sim
