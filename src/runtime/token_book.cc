#include "runtime/token_book.h"

#include <algorithm>

namespace eve::runtime {

using execution::Executor;

void TokenBook::add(const std::vector<Executor::Committed>& recent) {
  for (const Executor::Committed& batch : recent) {
    if (batch.number <= newest()) continue;
    batches_.push_back(batch);
    if (batches_.size() > kMost) batches_.pop_front();
  }
}

std::optional<Executor::Committed> TokenBook::find(BatchNumber number) const {
  const auto found = std::lower_bound(
      batches_.begin(), batches_.end(), number,
      [](const Executor::Committed& batch, BatchNumber wanted) { return batch.number < wanted; });
  if (found == batches_.end() || found->number != number) return std::nullopt;
  return *found;
}

}  // namespace eve::runtime
