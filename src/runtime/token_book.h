// The agreed batches of the last while, for who compares replicas: more of them than a status page
// shows. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "execution/executor.h"

namespace eve::runtime {

class TokenBook {
 public:
  /// About 1 MiB; a few seconds of small batches.
  static constexpr size_t kMost = 16'384;

  /// Whether what an executor that has committed `number` shows has half of it to add.
  bool behind(BatchNumber number) const {
    return number.value() >= newest().value() + limits::kHistoryBatches / 2;
  }
  /// What is new of them, ascending.
  void add(const std::vector<execution::Executor::Committed>& recent);
  std::optional<execution::Executor::Committed> find(BatchNumber number) const;

 private:
  BatchNumber newest() const { return batches_.empty() ? BatchNumber() : batches_.back().number; }

  std::deque<execution::Executor::Committed> batches_;  ///< ascending; gaps where it fetched
};

}  // namespace eve::runtime
