// Everything that can happen in a run and is worth counting: kinds of faults, and paths of the
// protocol that only faults reach. A site that no seed reaches is a hole in the simulator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace eve::sim {

enum class Site : uint8_t {
  // ---- network
  kLost,
  kDuplicated,
  kReplayed,
  kLate,
  kOvertaken,
  kSlowedByBandwidth,
  kClogged,
  kCut,
  kPartitionLone,
  kPartitionHalf,
  kPartitionBridge,
  kPartitionRing,
  kPartitionOneWay,
  kPartitionHalfOpen,
  // ---- processes
  kExecutorCrash,
  kVerifierCrash,
  kCrashBeforeSends,
  kCrashAmidSends,
  kCrashAfterSends,
  kCrashAtRest,
  kCrashInLoop,
  kCrashWhileRunning,
  kCrashWhileFetching,
  kCrashWhileChangingView,
  kPause,
  kLongPause,
  kSleeper,
  kSlowNode,
  kBlackout,
  kCrashTogether,
  kAtTheLimit,
  kBeyondTheLimit,
  // ---- clocks and settings
  kClockStepAhead,
  kClockStepBack,
  kClockDrift,
  kClockBeyondSkew,
  kMixedPatience,
  kRealSignatures,
  kLie,
  // ---- batches on executors
  kDivergence,
  kThreeWayDivergence,
  kParallelRollback,
  kSequentialRun,
  kThrowInParallel,
  kBatchOfLaterView,
  kLateBatch,
  kCommitBeforeExecution,
  kRepair,
  kTransfer,
  kTransferOfSeveralSources,
  kTransferRetargeted,
  kTransferRefused,
  kExecutorReturned,
  kMemoryRecovered,
  kSpeculationRecovered,
  kCheckpointTaken,
  kCheckpointRecovered,
  kCrashAmidCheckpoint,
  kMemoryLost,
  kSuspicion,
  kTokenResent,
  kBatchResent,
  // ---- views
  kViewByDivergence,
  kViewBySilence,
  kViewBySuspicion,
  kViewByReturnedExecutor,
  kViewByStrandedVerifier,
  kViewByTimeout,
  kViewJoined,
  kViewJoinedLate,
  kPromisesRecovered,
  kPromisesKept,
  kLogShortened,
  kPowerFailed,
  kCrashAmidSync,
  kLogBroken,
  kPromisesLost,
  kDiskTooSlow,
  kLeadLeft,
  kVoteResent,
  // ---- clients
  kRetry,
  kForwardedRetry,
  kSessionExpired,
  // ---- epochs, in clusters that change their members
  kTogetherAmidEnd,
  kLinkKeptLogBehind,
  kEpochNotedNothingSaid,
  kFetchOfStartCutOff,
  kEndedBeforeRestart,
  kLogOfLaterEpoch,
  kPromisesOfLaterEpoch,
  kPromisesOfEarlierEpoch,
  kCandidateKnown,
  kLearntBeforeItSat,
  kAskedWhileItLearnt,
  kLearnerDown,
  kCount,
};

const char* name_of(Site site);
/// It can happen only where members change, and there alone it must.
constexpr bool is_of_members(Site site) {
  return site >= Site::kTogetherAmidEnd;
}

class Sites {
 public:
  static constexpr size_t kNumber = static_cast<size_t>(Site::kCount);

  void hit(Site site, uint64_t times = 1) { counts_[static_cast<size_t>(site)] += times; }
  uint64_t count(Site site) const { return counts_[static_cast<size_t>(site)]; }
  Sites& operator+=(const Sites& other) {
    for (size_t i = 0; i < kNumber; ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  /// Those that should have happened, of clusters that change their members, or of others.
  template <typename Visit>
  void for_each_silent(bool members, const Visit& visit) const {
    for (size_t i = 0; i < kNumber; ++i) {
      const Site site = static_cast<Site>(i);
      if (counts_[i] == 0 && is_of_members(site) == members) visit(name_of(site));
    }
  }
  /// Calls visit(name, count) for each site, in the order above.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (size_t i = 0; i < kNumber; ++i) visit(name_of(static_cast<Site>(i)), counts_[i]);
  }

 private:
  std::array<uint64_t, kNumber> counts_{};
};

}  // namespace eve::sim
