// What must be true of the committed history and of what clients were told. Each checker follows
// the ledger by itself and throws a Violation at the first thing that is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "base/scheduler.h"
#include "execution/runner.h"
#include "sim/ledger.h"
#include "sim/workload.h"

namespace eve::sim {

/// A bundle's name: client, session, number of its first request.
using BundleName = std::tuple<uint16_t, SessionId, RequestNumber>;

/// What a client accepted is what was committed; a repeated bundle gets the same bytes again.
class ReplyChecker {
 public:
  struct Answer {
    BatchNumber number;  ///< of the batch that made it
    TimeUs time_us = 0;  ///< likewise
    crypto::Digest digest;
    SharedBytes payload;
  };
  explicit ReplyChecker(const Ledger& ledger) : ledger_(ledger) {}
  /// Takes in what was committed since the last call. An opening that comes again when its session
  /// has expired opens another one; everything else is answered once and for all.
  void follow();
  /// A client accepted `payload` as the replies to a bundle.
  void accepted(const BundleName& bundle, ByteView payload) const;
  /// The latest answer that a batch up to `last` made; null if there is none. A node that is behind
  /// answers an opening as its own state does.
  const Answer* find(const BundleName& bundle, BatchNumber last) const;

 private:
  const Ledger& ledger_;
  BatchNumber seen_;
  std::map<BundleName, std::vector<Answer>> answers_;  // in order; more than one for openings only
};

/// A fresh replica that runs the committed batches in order on one thread: with right footprints it
/// arrives at the same tokens, that is at the same state and the same replies.
class Oracle {
 public:
  Oracle(const crypto::Digester& digester, const execution::MakeService& make_service);
  /// Of the service's empty state.
  crypto::Digest genesis_root() const { return runner_.empty_root(); }
  /// Runs what was committed since the last call; no more after a batch that it cannot foresee.
  void follow(const Ledger& ledger, const Workload& workload);

 private:
  const crypto::Digester& digester_;
  InlineScheduler scheduler_;
  execution::Runner runner_;
  BatchNumber ran_;
  bool lost_ = false;
};

}  // namespace eve::sim
