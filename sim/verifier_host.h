// A verifier in the simulated world. What it keeps through a crash is what its disk holds; without
// one, the view that it persisted.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/conduct.h"
#include "sim/host.h"
#include "sim/ledger.h"
#include "sim/verifier_disk.h"
#include "verification/verifier.h"

namespace eve::sim {

class VerifierHost final : public Host {
 public:
  /// The references outlive the host.
  VerifierHost(const Surroundings& around, const verification::VerifierOptions& options,
               TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& authenticator,
               const crypto::Digester& digester, Ledger& ledger,
               const std::optional<StoragePlan>& storage = std::nullopt);
  ~VerifierHost() override;

  bool recovered() const override;
  void calm() override;
  bool broken() const override { return !retired_ && disk_ != nullptr && disk_->broken(); }
  /// It has lost even the views that it promised: it never runs again.
  bool retired() const { return retired_; }
  /// Precondition: up().
  verification::VerifierStatus status() const { return verifier_->status(); }
  verification::VerifierStatus glance() const { return verifier_->glance(); }

 private:
  void on_start() override;
  const Refusals& refusals() const override { return verifier_->refusals(); }
  void on_message(const wire::Message& message, Address from, TimeUs now) override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override { return verifier_->deadline(); }
  void on_crash() override;
  /// Counts the sites that show in where the verifier stands.
  void witness(const verification::VerifierStatus& now);
  void carry_out(verification::Outbox& out);
  void keep_view(verification::Outbox& out);

  verification::VerifierOptions options_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  Ledger& ledger_;
  std::unique_ptr<verification::Verifier> verifier_;
  View persisted_;                      ///< without a disk
  std::unique_ptr<VerifierDisk> disk_;  ///< null: an ideal one, for the highest view only
  bool retired_ = false;
  ViewChecker views_;
  std::string phase_;  ///< as of the last look, as the next ones
  std::string reason_;
  View view_;
  Address last_from_;  ///< of the last message
};

}  // namespace eve::sim
