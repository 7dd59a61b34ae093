// The dry run of a change of the members (docs/membership.md): which quorums there are with those
// that answer now, before the change and after it. Advice: agreement holds whatever is asked for.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/quorum.h"

namespace eve::cli {

/// What is seen of a node. Empty reasons: it plays the role, and counts.
struct MemberSight {
  std::string name;
  bool executor = false;  ///< has such a seat, or will have one
  bool verifier = false;
  bool comes = false;  ///< has no seat before the change
  std::string executor_trouble;
  std::string verifier_trouble;
};

/// The reasons, from the node's status. `epoch`: the present one; `highest`: the last batch that
/// others have committed; of another name than `name`: it is not the node.
void judge(const nlohmann::json& status, uint64_t epoch, uint64_t highest, MemberSight& sight);
/// Why a node that has no seat yet has not learnt enough to be given one (M14); empty: it has.
std::string why_not_level(const nlohmann::json& status, const std::string& name);
/// One that does not answer.
void judge_absent(const std::string& why, MemberSight& sight);

struct Forecast {
  std::vector<std::string> lines;
  bool before = false;  ///< the change can be agreed on
  bool after = false;   ///< and then the cluster goes on
};

/// `members`: of the present epoch. `fresh` takes the seats of the one called `leaving`.
Forecast forecast(const FaultModel& model, const std::vector<MemberSight>& members,
                  const std::string& leaving, const MemberSight& fresh);

}  // namespace eve::cli
