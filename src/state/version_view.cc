#include "state/version_view.h"

#include "state/store.h"

namespace eve::state {

VersionView::VersionView(const Store& store, BatchNumber n)
    : store_(&store), number_(n), root_(store.root_at(n)) {}

bool VersionView::exists() const {
  return root_ && store_->root_at(number_) == root_;
}

std::optional<crypto::Digest> VersionView::root() const {
  return exists() ? root_ : std::nullopt;
}

std::optional<uint64_t> VersionView::slots() const {
  if (!exists()) return std::nullopt;
  return store_->slots_at(number_);
}

std::optional<crypto::Digest> VersionView::digest(TreeNode id) const {
  if (!exists()) return std::nullopt;
  return store_->digest_at(number_, id);
}

std::optional<Bytes> VersionView::node(TreeNode id) const {
  if (!exists()) return std::nullopt;
  return store_->node(number_, id);
}

std::optional<ByteView> VersionView::get(const Table& table, ByteView key) const {
  if (!exists()) return std::nullopt;
  return store_->value_at(number_, table, key);
}

}  // namespace eve::state
