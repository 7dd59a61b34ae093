// Drives one Verifier; keeps its promise on disk.
#pragma once

#include <string>

#include "runtime/host.h"
#include "runtime/promise_file.h"
#include "runtime/router.h"
#include "verification/verifier.h"

namespace eve::runtime {

class VerifierHost final : public Host {
 public:
  /// `options.lost_promises_at` is filled in here, from the promise file.
  VerifierHost(Router& router, const crypto::Authenticator& authenticator,
               const crypto::Digester& digester, verification::VerifierOptions options,
               PromiseFile promise);

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override { return failed() ? kNever : verifier_.deadline(); }
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  /// The verifier's, or, when its promise could not be written, why it has stopped.
  verification::VerifierStatus status() const;

 private:
  /// Passes on what the verifier wants. True if it wanted anything.
  bool hand_out();
  /// A promise that cannot be kept must not be made: silence is a failure the protocol allows for.
  bool failed() const { return !failure_.empty(); }

  Router& router_;
  Address address_;
  PromiseFile promise_;
  verification::Verifier verifier_;
  verification::Outbox outbox_;
  RefusalsSeen refusals_seen_;
  std::string failure_;
};

}  // namespace eve::runtime
