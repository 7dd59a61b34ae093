// What a lying node does: one distortion of what a real executor or verifier says, or of how fast
// it is. Everything else about the node is real, so what is tested is how the others bear it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/quorum.h"
#include "crypto/digest.h"
#include "execution/runner.h"
#include "runtime/router.h"

namespace eve::lying {

enum class Lie {
  kDiverge,       ///< executor: other replies in every batch, so its own token never matches
  kToken,         ///< executor: tokens of a state that it does not have
  kReply,         ///< executor: wrong replies to clients, with digests that fit them
  kWithhold,      ///< executor: no tokens; verifier: no votes and no verdicts
  kVerdict,       ///< verifier: verdicts that nobody agreed on
  kBadSignature,  ///< a flood of what is badly signed, beside what it says anyway
  kSilent,        ///< takes part in everything and says nothing
  kSlow,          ///< ten times slower: as long as it computes, it then sleeps nine times
};

std::optional<Lie> parse_lie(const std::string& name);
std::vector<std::string> lie_names();

/// `digester` is the cluster's and outlives the result.
runtime::Rewrite make_rewrite(Lie lie, const FaultModel& model, const crypto::Digester& digester);

/// The service as the liar runs it.
execution::MakeService distort_service(Lie lie, execution::MakeService make);

}  // namespace eve::lying
