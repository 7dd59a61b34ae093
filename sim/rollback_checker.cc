#include "sim/rollback_checker.h"

#include <algorithm>
#include <string>

#include "sim/violation.h"

namespace eve::sim {

void RollbackChecker::ran(const wire::TokenParts& parts, execution::RunMode mode) {
  ran_.erase(ran_.lower_bound(parts.number), ran_.end());
  ran_.emplace(parts.number, Ran{parts.state, mode});
}

void RollbackChecker::fetched(const wire::TokenParts& parts) {
  ran_.clear();
  ran_.emplace(parts.number, Ran{parts.state, execution::RunMode::kSequential});
}

bool RollbackChecker::undoes_parallel(BatchNumber number) const {
  return std::any_of(ran_.upper_bound(number), ran_.end(), [](const auto& entry) {
    return entry.second.mode == execution::RunMode::kParallel;
  });
}

void RollbackChecker::rolled_back(Address replica, BatchNumber number, const crypto::Digest& root) {
  ran_.erase(ran_.upper_bound(number), ran_.end());
  const auto there = ran_.find(number);
  if (there == ran_.end() || there->second.root == root) return;
  throw Violation("rollback", to_string(replica) + " came back to batch " +
                                  std::to_string(number.value()) + " with another state");
}

void RollbackChecker::committed(BatchNumber number) {
  ran_.erase(ran_.begin(), ran_.lower_bound(number));
}

}  // namespace eve::sim
