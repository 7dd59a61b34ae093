#include "state/tree_walk.h"

#include <utility>

namespace eve::state {

namespace {

using crypto::Digest;

constexpr TreeNode kRoot{TreeNode::kRootLevel, 0};

}  // namespace

TreeWalk::TreeWalk(const crypto::Digester& digester, VersionView local, LeafCheck leaf_check)
    : digester_(digester), local_(local), leaf_check_(std::move(leaf_check)) {}

void TreeWalk::start(const Digest& root) {
  target_ = root;
  record_.reset();
  pending_.clear();
  asked_.clear();
  changed_.clear();
  if (local_.root() == root) {
    record_ = decode_root(*local_.node(kRoot), digester_.size());
  } else {
    visit({kRoot, root});
  }
}

bool TreeWalk::holds(const Node& node) const {
  const auto found = held_.find(node.first);
  return found != held_.end() && found->second.digest == node.second;
}

void TreeWalk::visit(const Node& first) {
  std::vector<Node> open{first};
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    const auto& [id, digest] = node;
    if (id != kRoot && local_.digest(id) == digest) continue;
    const bool ask = leaf_check_ != nullptr && digest != Digest();
    if (id.level == 0 && (!ask || holds(node))) {
      changed_.emplace_back(id.index, digest);
    } else if (holds(node) && well_formed(id, held_[id].payload)) {
      // It was well-formed when it came, but under another record a node has other children.
      open_children(id, held_[id].payload, open);
    } else {
      pending_.insert(node);
    }
  }
}

void TreeWalk::open_children(TreeNode id, ByteView payload, std::vector<Node>& open) {
  const size_t size = digester_.size();
  if (id == kRoot) {
    record_ = decode_root(payload, size);
    if (record_->slots > 0) open.push_back({{top_level(record_->slots), 0}, record_->top});
    return;
  }
  const uint64_t children = child_count(record_->slots, id);
  const ByteView digests = *decode_inner(payload, children, size);
  for (uint64_t i = 0; i < children; ++i) {
    open.push_back({{static_cast<uint8_t>(id.level - 1), id.index * kFanout + i},
                    digest_from(digests.substr(i * size, size))});
  }
}

/// Whether a payload that hashes to what was asked for is one that an engine can have made.
bool TreeWalk::well_formed(TreeNode id, ByteView payload) const {
  const size_t size = digester_.size();
  if (id == kRoot) return decode_root(payload, size).has_value();
  if (id.level > 0) {
    return decode_inner(payload, child_count(record_->slots, id), size).has_value();
  }
  return leaf_check_(payload);
}

std::vector<TreeNode> TreeWalk::wants(size_t limit) {
  std::vector<TreeNode> result;
  while (result.size() < limit && !pending_.empty()) {
    auto node = pending_.extract(pending_.begin());
    result.push_back(node.key());
    asked_.insert(std::move(node));
  }
  return result;
}

void TreeWalk::again(TreeNode id) {
  auto node = asked_.extract(id);
  if (!node.empty()) pending_.insert(std::move(node));
}

bool TreeWalk::supply(TreeNode id, ByteView payload) {
  const Digest digest = digester_.digest(payload);
  auto node = asked_.extract(id);
  if (node.empty()) node = pending_.extract(id);
  if (node.empty()) {
    // Not wanted: fine if it only repeats what another source has sent already.
    return holds({id, digest});
  }
  if (digest != node.mapped() || !well_formed(id, payload)) {
    pending_.insert(std::move(node));
    return false;
  }
  held_[id] = {digest, Bytes(payload)};
  visit({id, digest});
  return true;
}

}  // namespace eve::state
