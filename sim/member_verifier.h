// A verifier of a cluster that changes its members. Through a crash it keeps, by epoch, all that it
// promised, or the highest view (V9).
#pragma once

#include <memory>
#include <optional>

#include "sim/member_host.h"
#include "verification/verifier.h"

namespace eve::sim {

class MemberVerifier final : public MemberHost {
 public:
  /// `keeps`: all that it promises.
  MemberVerifier(const Surroundings& around, const MemberSurroundings& cluster, Address self,
                 TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys, bool keeps);

  bool recovered() const override;
  /// Null: it has no seat.
  const verification::Verifier* core() const { return verifier_.get(); }

 private:
  void begin(bool again) override;
  void hear(const wire::Message& message, Address from, TimeUs now) override;
  const Refusals& refusals() const override;
  void on_start() override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override;
  void on_crash() override { verifier_.reset(); }
  void carry_out(verification::Outbox& out);

  bool keeps_;
  std::unique_ptr<verification::Verifier> verifier_;
  std::optional<verification::Promises> promises_;  ///< on its disk, of the present epoch
  View promised_;                                   ///< likewise
};

}  // namespace eve::sim
