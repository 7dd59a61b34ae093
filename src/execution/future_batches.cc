#include "execution/future_batches.h"

#include <utility>

#include "base/limits.h"
#include "execution/batch_window.h"

namespace eve::execution {
namespace {

// Two of the largest batches: enough to bridge the moment between a view's first batch and its
// verdicts. A primary resends what was dropped.
constexpr size_t kMaxBytes = 2 * limits::kMaxBatchBytes;

}  // namespace

FutureBatches::FutureBatches(size_t executors) : kept_(executors) {}

bool FutureBatches::add(uint16_t sender, wire::BatchPtr batch, View current) {
  if (batch->view.value() - current.value() > kept_.size()) return false;
  Kept& kept = kept_.at(sender);
  if (kept.view != batch->view) kept = {batch->view, 0, {}};
  const size_t bytes = BatchWindow::bytes_of(*batch);
  if (kept.batches.size() >= limits::kWindow || kept.bytes + bytes > kMaxBytes) return true;
  kept.bytes += bytes;
  kept.batches.push_back(std::move(batch));
  return true;
}

std::vector<wire::BatchPtr> FutureBatches::take(View view) {
  std::vector<wire::BatchPtr> batches;
  for (Kept& kept : kept_) {
    if (kept.view > view) continue;
    if (kept.view == view) batches = std::move(kept.batches);
    kept = {};
  }
  return batches;
}

}  // namespace eve::execution
