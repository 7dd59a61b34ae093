#include "state/diff.h"

#include <algorithm>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

Diff::Diff(VersionView before, const crypto::Digest& after_root)
    : before_(before), walk_(before.store().digester(), before, nullptr) {
  walk_.start(after_root);
}

std::optional<std::vector<LeafDifference>> Diff::differences() const {
  EVE_CHECK(complete(), "the walk is not over");
  const auto slots = before_.slots();
  if (!slots) return std::nullopt;
  std::vector<LeafDifference> result;
  const auto before = [&](uint64_t slot) {
    return before_.digest({0, slot}).value_or(crypto::Digest());
  };
  for (const auto& [slot, digest] : walk_.changed()) {
    result.push_back({slot, before(slot), digest});
  }
  for (uint64_t slot = walk_.record().slots; slot < *slots; ++slot) {
    result.push_back({slot, before(slot), {}});
  }
  std::erase_if(result, [](const LeafDifference& leaf) { return leaf.before == leaf.after; });
  std::sort(result.begin(), result.end(),
            [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return result;
}

std::optional<uint64_t> diff(const VersionView& before, const VersionView& after,
                             const std::function<void(const LeafDifference&)>& visit) {
  if (!before.exists() || !after.exists()) return std::nullopt;
  Diff walk(before, *after.root());
  uint64_t read = 0;
  constexpr size_t kAtOnce = 64;
  while (!walk.complete()) {
    for (const TreeNode id : walk.wants(kAtOnce)) {
      EVE_CHECK(walk.supply(id, *after.node(id)), "a version does not hash to its root");
      ++read;
    }
  }
  const auto differences = walk.differences();
  for (const LeafDifference& leaf : *differences) visit(leaf);
  return read;
}

}  // namespace eve::state
