#include "verification/view_change.h"

#include <algorithm>

namespace eve::verification {

void ViewChanges::add(const wire::ViewChange& change) {
  if (barred_.contains(change.verifier)) return;
  const auto found = entries_.find(change.verifier);
  if (found != entries_.end() && found->second.change.view >= change.view) return;
  entries_.insert_or_assign(change.verifier, Entry{change, false});
}

void ViewChanges::add_own(const wire::ViewChange& change) {
  entries_.insert_or_assign(change.verifier, Entry{change, true});
}

size_t ViewChanges::asking(View view) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const auto& entry) { return entry.second.change.view >= view; }));
}

std::set<View> ViewChanges::views() const {
  std::set<View> views;
  for (const auto& [verifier, entry] : entries_) views.insert(entry.change.view);
  return views;
}

void ViewChanges::check_from(View view) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    auto& [change, checked] = entry->second;
    if (!checked && change.view >= view) checked = notary_.valid(change);
    if (checked || change.view < view) {
      ++entry;
      continue;
    }
    barred_.insert(entry->first);
    refused_.push_back(entry->first);
    entry = entries_.erase(entry);
  }
}

View ViewChanges::asked_by_quorum(View floor) {
  const std::set<View> asked = views();
  for (auto view = asked.rbegin(); view != asked.rend() && *view > floor; ++view) {
    if (asking(*view) < model_.agreement()) continue;
    check_from(*view);
    if (asking(*view) >= model_.agreement()) return *view;
  }
  return floor;
}

std::vector<wire::ViewChange> ViewChanges::proof(View view) {
  const auto collect = [&] {
    std::vector<wire::ViewChange> changes;
    for (const auto& [verifier, entry] : entries_) {
      if (entry.change.view == view) changes.push_back(entry.change);
    }
    if (changes.size() < model_.agreement()) changes.clear();
    return changes;
  };
  if (collect().empty()) return {};
  check_from(view);
  return collect();
}

void ViewChanges::joined(View view) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.change.view <= view; });
}

}  // namespace eve::verification
