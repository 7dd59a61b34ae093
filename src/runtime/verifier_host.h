// Drives one Verifier, in one epoch. What it promises is in its log before what rests on it leaves.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/disk_watch.h"
#include "runtime/host.h"
#include "runtime/journal_thread.h"
#include "runtime/outlet.h"
#include "runtime/seating.h"
#include "runtime/verifier_memory.h"
#include "verification/verifier.h"

namespace eve::runtime {

class VerifierHost final : public Host {
 public:
  using Commit = std::pair<BatchNumber, crypto::Digest>;

  /// `node`: the role's address, for ever. The references outlive the host.
  VerifierHost(EventLoop& loop, Outlet& outlet, const crypto::Digester& digester, Address node,
               const Seating& seating, VerifierMemory memory);
  /// Marks the log's orderly end, if the disk lets it.
  ~VerifierHost() override;

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  TimeUs deadline() const override {
    return stopped() ? kNever : std::min(verifier_.deadline(), watch_.due());
  }
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  /// The verifier's; `waiting_for` names the disk when that is what it waits for, or why it has
  /// stopped.
  verification::VerifierStatus status() const;
  /// The last commit that the verifier knows of without a vote of its own that may be lost yet: it
  /// counts its vote before that is durable. A farewell is not said before (M5).
  Commit committed() const { return waiting_ == 0 ? known() : committed_; }
  JournalStatus journal() const { return journal_->status(); }

 private:
  /// Passes on what the verifier wants. True if it wanted anything.
  bool hand_out();
  /// Looks at the disk, and tells executors when it is low.
  void watch_disk(TimeUs now);
  Commit known() const {
    const auto glance = verifier_.glance();
    return {glance.committed, glance.token};
  }
  /// A promise that cannot be kept must not be made: silence is a failure the protocol allows for.
  bool stopped() const { return stopped_; }

  Outlet& outlet_;
  Address seat_;
  std::shared_ptr<const crypto::Authenticator> keys_;
  std::unique_ptr<PosixDisk> disk_;
  std::unique_ptr<durability::PromiseBook> book_;
  verification::Verifier verifier_;
  verification::Outbox outbox_;
  RefusalsSeen refusals_seen_;
  std::vector<Address> executors_;
  DiskWatch watch_;
  bool said_low_ = false;
  size_t waiting_ = 0;  ///< steps whose sends wait for the journal
  Commit committed_;    ///< of the last step that did, and does not any more
  bool stopped_ = false;
  std::unique_ptr<JournalThread> journal_;
};

}  // namespace eve::runtime
