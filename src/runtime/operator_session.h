// The operator among the nodes of a running cluster: a connection for as long as it takes to learn
// who the members are and to change one. Blocking; one thread beside the caller's.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "eve/result.h"
#include "membership/members.h"
#include "runtime/cluster_config.h"
#include "wire/membership.h"

namespace eve::runtime {

class OperatorSession {
 public:
  /// Reads operator.key and the cluster's secret from `directory`.
  static Result<std::unique_ptr<OperatorSession>> open(const ClusterConfig& cluster,
                                                       const std::filesystem::path& directory);
  ~OperatorSession();

  struct Known {
    membership::Members members;     ///< of the last epoch that anybody reachable knows
    std::vector<NodeConfig> joined;  ///< everybody who ever joined, in that order
  };
  /// An error says how many executors could be reached.
  Result<Known> learn(std::chrono::milliseconds timeout);

  /// Tells the members who is about to come (docs/membership.md, M14), again and again, until this
  /// ends. Precondition: learn() gave that epoch.
  void announce(const wire::Change& change);

  struct Ended {
    wire::Change by;  ///< what was executed: another change, if somebody else was faster
    Known after;
  };
  /// Asks for it until its epoch has ended. Precondition: learn() gave that epoch. An error does
  /// not mean that it was not executed, or will not be: learn() again.
  Result<Ended> change(const wire::Change& change, std::chrono::milliseconds timeout);

 private:
  struct Impl;
  explicit OperatorSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::runtime
