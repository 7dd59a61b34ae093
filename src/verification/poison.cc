#include "verification/poison.h"

#include <algorithm>
#include <map>

#include "base/limits.h"

namespace eve::verification {
uint32_t PoisonCount::failed(const wire::Digest& bundle) {
  auto entry = std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& known) { return known.bundle == bundle; });
  if (entry == entries_.end()) {
    if (entries_.size() == kMaxCounted) entries_.pop_back();
    entry = entries_.insert(entries_.end(), Entry{bundle, 0});
  }
  const uint32_t views = ++entry->views;
  std::rotate(entries_.begin(), entry, entry + 1);
  return views;
}

void PoisonCount::restore(const wire::Digest& bundle, uint32_t views) {
  entries_.insert(entries_.begin(), Entry{bundle, views});
}

wire::Names PoisonCount::names() const {
  wire::Names names;
  for (const Entry& entry : entries_) {
    if (entry.views >= enough_ && names.size() < limits::kMaxPoison) names.push_back(entry.bundle);
  }
  std::sort(names.begin(), names.end());
  return names;
}

wire::Names quarantine(const std::vector<wire::ViewChange>& proof, const FaultModel& model) {
  std::map<wire::Digest, size_t> named;
  for (const auto& change : proof) {
    for (const auto& bundle : change.poison) ++named[bundle];
  }
  std::vector<std::pair<size_t, wire::Digest>> vouched;
  for (const auto& [bundle, verifiers] : named) {
    if (verifiers >= model.vouched()) vouched.emplace_back(verifiers, bundle);
  }
  std::stable_sort(vouched.begin(), vouched.end(),
                   [](const auto& left, const auto& right) { return left.first > right.first; });
  if (vouched.size() > limits::kMaxQuarantine) vouched.resize(limits::kMaxQuarantine);

  wire::Names names;
  for (const auto& [verifiers, bundle] : vouched) names.push_back(bundle);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace eve::verification
