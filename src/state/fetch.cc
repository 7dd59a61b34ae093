// State transfer, the fetching side: a walk down the tree with a given root, beside the local tree.
//
//   visit(node): equal in the local tree -> nothing differs below, done
//                held already            -> its children
//                else                    -> pending -> asked -> supplied -> its children
//
// Nodes are asked for lowest level first, so that what is open at once stays small: a path, not a
// level. Payloads are kept by position, so that a new target finds those that it shares.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "state/engine_impl.h"
#include "state/node_format.h"

namespace eve::state {

namespace {

using crypto::Digest;

struct TreeNodeHash {
  size_t operator()(const TreeNode& id) const {
    return std::hash<uint64_t>()(id.index * 256 + id.level);
  }
};

constexpr TreeNode kRoot{TreeNode::kRootLevel, 0};

}  // namespace

struct Fetch::Impl {
  Impl(Store& local, const Digest& target_root) : store(local) { start(target_root); }

  struct Held {
    Digest digest;
    Bytes payload;
  };

  using Node = std::pair<TreeNode, Digest>;

  void start(const Digest& root);
  bool supply(TreeNode id, ByteView payload);
  bool well_formed(TreeNode id, ByteView payload) const;
  bool same_locally(const Node& node) const;
  bool holds(const Node& node) const;
  void visit(const Node& first);
  void open_children(TreeNode id, ByteView payload, std::vector<Node>& open);
  Store::Target difference() const;

  Store& store;
  Digest target;
  std::optional<RootRecord> record;    ///< once known
  std::map<TreeNode, Digest> pending;  ///< to be asked for
  std::map<TreeNode, Digest> asked;
  std::vector<std::pair<uint64_t, Digest>> changed;  ///< leaves that differ from local ones
  std::unordered_map<TreeNode, Held, TreeNodeHash> held;
};

void Fetch::Impl::start(const Digest& root) {
  target = root;
  record.reset();
  pending.clear();
  asked.clear();
  changed.clear();
  if (root == store.root()) {
    record = store.tree().record();
  } else {
    visit({kRoot, root});
  }
}

/// Whether the local tree has the same node, and so the same leaves below it.
bool Fetch::Impl::same_locally(const Node& node) const {
  const TreeNode id = node.first;
  if (id == kRoot) return false;
  const Tree& tree = store.tree();
  if (id.level > top_level(tree.slots()) || id.index >= level_size(tree.slots(), id.level)) {
    return false;
  }
  return tree.digest(id) == node.second;
}

bool Fetch::Impl::holds(const Node& node) const {
  const auto found = held.find(node.first);
  return found != held.end() && found->second.digest == node.second;
}

void Fetch::Impl::visit(const Node& first) {
  std::vector<Node> open{first};
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    const auto& [id, digest] = node;
    if (same_locally(node)) continue;
    const bool free_slot = id.level == 0 && digest == Digest();
    if (!free_slot && !holds(node)) {
      pending.insert(node);
    } else if (id.level == 0) {
      changed.emplace_back(id.index, digest);
    } else {
      open_children(id, held[id].payload, open);
    }
  }
}

void Fetch::Impl::open_children(TreeNode id, ByteView payload, std::vector<Node>& open) {
  const size_t size = store.digester().size();
  if (id == kRoot) {
    record = decode_root(payload, size);
    if (record->slots > 0) open.push_back({{top_level(record->slots), 0}, record->top});
    return;
  }
  const uint64_t children = child_count(record->slots, id);
  const ByteView digests = *decode_inner(payload, children, size);
  for (uint64_t i = 0; i < children; ++i) {
    open.push_back({{static_cast<uint8_t>(id.level - 1), id.index * kFanout + i},
                    digest_from(digests.substr(i * size, size))});
  }
}

/// Whether a payload that hashes to what was asked for is one that an engine with these tables can
/// have made.
bool Fetch::Impl::well_formed(TreeNode id, ByteView payload) const {
  const size_t size = store.digester().size();
  if (id.level == TreeNode::kRootLevel) return decode_root(payload, size).has_value();
  if (id.level > 0) {
    return decode_inner(payload, child_count(record->slots, id), size).has_value();
  }
  const auto leaf = decode_leaf(payload);
  return leaf && store.can_have(*leaf);
}

bool Fetch::Impl::supply(TreeNode id, ByteView payload) {
  const Digest digest = store.digester().digest(payload);
  auto node = asked.extract(id);
  if (node.empty()) node = pending.extract(id);
  if (node.empty()) {
    // Not wanted: fine if it only repeats what another source has sent already.
    const auto found = held.find(id);
    return found != held.end() && found->second.digest == digest;
  }
  if (digest != node.mapped() || !well_formed(id, payload)) {
    pending.insert(std::move(node));
    return false;
  }
  held[id] = {digest, Bytes(payload)};
  visit({id, digest});
  return true;
}

Store::Target Fetch::Impl::difference() const {
  Store::Target result;
  result.root = target;
  result.slots = record->slots;
  for (const auto& [slot, digest] : changed) {
    const auto found = held.find({0, slot});
    const bool empty = digest == Digest();
    result.leaves.emplace_back(slot, empty ? std::nullopt : decode_leaf(found->second.payload));
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
  std::vector<TreeNode> result;
  while (result.size() < limit && !impl_->pending.empty()) {
    auto node = impl_->pending.extract(impl_->pending.begin());
    result.push_back(node.key());
    impl_->asked.insert(std::move(node));
  }
  return result;
}

void Fetch::again(TreeNode id) {
  auto node = impl_->asked.extract(id);
  if (!node.empty()) impl_->pending.insert(std::move(node));
}

bool Fetch::supply(TreeNode id, ByteView payload) {
  return impl_->supply(id, payload);
}

bool Fetch::complete() const {
  return impl_->record && impl_->pending.empty() && impl_->asked.empty();
}

Status Fetch::install(BatchNumber n, Scheduler& scheduler) {
  EVE_CHECK(complete(), "the fetch is not complete");
  Store::Target difference = impl_->difference();
  difference.number = n;
  return impl_->store.install(difference, scheduler);
}

void Fetch::retarget(const crypto::Digest& root) {
  impl_->start(root);
}

}  // namespace eve::state
