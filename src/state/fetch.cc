// State transfer, the fetching side: a walk down the tree with a given root beside the newest local
// version (tree_walk.h), leaves included, and then their installation.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "state/engine_impl.h"
#include "state/node_format.h"
#include "state/tree_walk.h"

namespace eve::state {

struct Fetch::Impl {
  Impl(Store& local, const crypto::Digest& root)
      : store(local),
        walk(local.digester(), VersionView(local, local.last()), [&local](ByteView payload) {
          const auto leaf = decode_leaf(payload);
          return leaf && local.can_have(*leaf);
        }) {
    walk.start(root);
  }

  Store::Target difference() const;

  Store& store;
  TreeWalk walk;
};

Store::Target Fetch::Impl::difference() const {
  Store::Target result;
  result.root = walk.target();
  result.slots = walk.record().slots;
  for (const auto& [slot, digest] : walk.changed()) {
    const bool empty = digest == crypto::Digest();
    result.leaves.emplace_back(slot, empty ? std::nullopt : decode_leaf(walk.leaf(slot)));
  }
  std::sort(result.leaves.begin(), result.leaves.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return result;
}

Fetch::Fetch(Engine& engine, const crypto::Digest& root)
    : impl_(std::make_unique<Impl>(engine.impl_->store, root)) {
  EVE_CHECK(!engine.impl_->store.is_open(), "no batch may be open");
}

Fetch::~Fetch() = default;

std::vector<TreeNode> Fetch::wants(size_t limit) {
  return impl_->walk.wants(limit);
}

void Fetch::again(TreeNode id) {
  impl_->walk.again(id);
}

bool Fetch::supply(TreeNode id, ByteView payload) {
  return impl_->walk.supply(id, payload);
}

bool Fetch::complete() const {
  return impl_->walk.complete();
}

Status Fetch::install(BatchNumber n, Scheduler& scheduler) {
  EVE_CHECK(complete(), "the fetch is not complete");
  Store::Target difference = impl_->difference();
  difference.number = n;
  return impl_->store.install(difference, scheduler);
}

void Fetch::retarget(const crypto::Digest& root) {
  impl_->walk.start(root);
}

}  // namespace eve::state
