// A verifier of a cluster that changes its members. Through a crash it keeps, by epoch, all that it
// promised: on a disk that may fail, or on an ideal one; or the highest view (V9).
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "sim/member_host.h"
#include "sim/storage_plan.h"
#include "sim/verifier_disk.h"
#include "verification/verifier.h"

namespace eve::sim {

class MemberVerifier final : public MemberHost {
 public:
  /// `keeps`: all that it promises, where the plan does not say so.
  MemberVerifier(const Surroundings& around, const MemberSurroundings& cluster, Address self,
                 TimeUs clock_offset, uint64_t seed, const crypto::Authenticator& keys, bool keeps,
                 const StoragePlan& storage);

  bool recovered() const override;
  void calm() override;
  /// Null: it has no seat.
  const verification::Verifier* core() const { return verifier_.get(); }

 private:
  void begin(bool again) override;
  void end_core() override { verifier_.reset(); }
  void hear(const wire::Message& message, Address from, TimeUs now) override;
  const Refusals& refusals() const override;
  void on_start() override;
  void on_tick(TimeUs now) override;
  void on_idle(TimeUs now) override;
  TimeUs deadline() const override;
  void on_crash() override;
  void remember(bool again, verification::VerifierOptions& options);
  VerifierDisk& open_disk(verification::VerifierOptions& options);
  void carry_out(verification::Outbox& out);

  bool keeps_;
  const StoragePlan storage_;
  /// By epoch. The last is the present one's.
  std::map<Epoch, std::unique_ptr<VerifierDisk>> disks_;
  VerifierDisk* disk_ = nullptr;  ///< of the present core; null: its disk is ideal
  bool calm_ = false;
  std::unique_ptr<verification::Verifier> verifier_;
  std::optional<verification::Promises> promises_;  ///< on its disk, of the present epoch
  View promised_;                                   ///< likewise
};

}  // namespace eve::sim
