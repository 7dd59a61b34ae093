#include "execution/batch_window.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace eve::execution {

bool changed_members(const WindowEntry& entry) {
  return entry.stage == Stage::kExecuted && entry.batch->bundles.size() == 1 &&
         entry.batch->bundles.front()->kind == wire::BundleKind::kChange &&
         entry.result.replies.front().status == wire::ReplyStatus::kExecuted;
}
namespace {

constexpr std::array<std::pair<Stage, Stage>, 5> kEdges{{
    {Stage::kReceived, Stage::kRunning},
    {Stage::kReceived, Stage::kRefused},
    {Stage::kRunning, Stage::kExecuted},
    {Stage::kRunning, Stage::kReceived},
    {Stage::kExecuted, Stage::kReceived},
}};

}  // namespace

WindowEntry* BatchWindow::find(BatchNumber number) {
  const auto entry = entries_.find(number);
  return entry == entries_.end() ? nullptr : &entry->second;
}

const WindowEntry* BatchWindow::find(BatchNumber number) const {
  const auto entry = entries_.find(number);
  return entry == entries_.end() ? nullptr : &entry->second;
}

WindowEntry& BatchWindow::add(wire::BatchPtr batch, wire::Names quarantine) {
  bytes_ += bytes_of(*batch);
  const BatchNumber number = batch->number;
  const auto [entry, added] = entries_.emplace(number, WindowEntry{});
  EVE_CHECK(added, "one batch a number");
  entry->second.batch = std::move(batch);
  entry->second.quarantine = std::move(quarantine);
  return entry->second;
}

WindowEntry& BatchWindow::add_recovered(const RecoveredBatch& recovered) {
  WindowEntry& entry = add(recovered.batch);
  entry.recovered = true;
  entry.result = recovered.result;
  move(entry, Stage::kRunning);
  move(entry, Stage::kExecuted);
  return entry;
}

void BatchWindow::move(WindowEntry& entry, Stage to) {
  bool allowed = false;
  for (const auto& edge : kEdges) allowed |= edge == std::pair(entry.stage, to);
  EVE_CHECK(allowed, "a batch's lifecycle has no such edge");
  entry.stage = to;
}

BatchNumber BatchWindow::tail(BatchNumber committed) const {
  BatchNumber last = committed;
  for (const auto& [number, entry] : entries_) {
    if (number != last.next() || entry.stage == Stage::kRefused) break;
    last = number;
  }
  return last;
}

BatchNumber BatchWindow::run_through(BatchNumber committed) const {
  BatchNumber last = committed;
  for (const auto& [number, entry] : entries_) {
    if (entry.stage != Stage::kRunning && entry.stage != Stage::kExecuted) break;
    last = number;
  }
  return last;
}

BatchNumber BatchWindow::executed_through(BatchNumber committed) const {
  BatchNumber last = committed;
  for (const auto& [number, entry] : entries_) {
    if (entry.stage != Stage::kExecuted) break;
    last = number;
  }
  return last;
}

void BatchWindow::forget_through(BatchNumber number) {
  for (auto entry = entries_.begin(); entry != entries_.end() && entry->first <= number;) {
    entry = erase(entry);
  }
}

std::vector<wire::BundlePtr> BatchWindow::drop_after(BatchNumber number) {
  std::vector<wire::BundlePtr> dropped;
  for (auto entry = entries_.upper_bound(number); entry != entries_.end();) {
    const wire::Batch& batch = *entry->second.batch;
    if (entry->second.stage != Stage::kRefused && !entry->second.recovered) {
      dropped.insert(dropped.end(), batch.bundles.begin(), batch.bundles.end());
    }
    entry = erase(entry);
  }
  return dropped;
}

void BatchWindow::forget_runs() {
  for (auto at = entries_.begin(); at != entries_.end();) {
    WindowEntry& entry = at->second;
    if (entry.recovered) {
      at = erase(at);
      continue;
    }
    if (entry.stage == Stage::kRunning || entry.stage == Stage::kExecuted) {
      move(entry, Stage::kReceived);
      entry.result = {};
    }
    ++at;
  }
}

size_t BatchWindow::bytes_of(const wire::Batch& batch) {
  size_t bytes = 0;
  for (const wire::BundlePtr& bundle : batch.bundles) bytes += bundle->raw.size();
  return bytes;
}

BatchWindow::Entries::iterator BatchWindow::erase(Entries::iterator entry) {
  bytes_ -= bytes_of(*entry->second.batch);
  return entries_.erase(entry);
}

}  // namespace eve::execution
