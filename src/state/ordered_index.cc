#include "state/ordered_index.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "base/check.h"

namespace eve::state {

uint64_t Cut::prefix_of(ByteView key) {
  uint64_t prefix = 0;
  const size_t size = std::min(key.size(), sizeof(prefix));
  for (size_t i = 0; i < size; ++i) {
    prefix |= static_cast<uint64_t>(static_cast<unsigned char>(key[i])) << (56 - 8 * i);
  }
  return prefix;
}

OrderedIndex::Node::Node(Object* object, unsigned height)
    : prefix_(object == nullptr ? 0 : Cut::prefix_of(object->key())), object_(object) {
  for (unsigned level = 0; level < height; ++level) new (&next(level)) std::atomic<Node*>(nullptr);
}

bool OrderedIndex::Node::is_before(const Cut& cut) const {
  if (cut.side == Cut::Side::kEnd) return true;
  if (prefix_ != cut.prefix) return prefix_ < cut.prefix;
  const int order = object_->key().compare(cut.key);
  return order < 0 || (order == 0 && cut.side == Cut::Side::kBehind);
}

OrderedIndex::OrderedIndex(size_t workers) : head_(make(nullptr, kLevels)), lists_(workers) {}

OrderedIndex::~OrderedIndex() {
  for (Node* node = head_; node != nullptr;) {
    Node* next = node->next(0).load(std::memory_order_relaxed);
    std::free(node);
    node = next;
  }
}

unsigned OrderedIndex::height_of(const Object& object) {
  const uint64_t bounded = object.hash | (uint64_t{1} << (2 * (kLevels - 1)));
  return 1 + static_cast<unsigned>(std::countr_zero(bounded)) / 2;
}

size_t OrderedIndex::footprint(unsigned height) {
  return allocated(sizeof(Node) + height * sizeof(std::atomic<Node*>));
}

OrderedIndex::Node* OrderedIndex::make(Object* object, unsigned height) {
  void* block = std::malloc(sizeof(Node) + height * sizeof(std::atomic<Node*>));
  if (block == nullptr) throw std::bad_alloc();
  return new (block) Node(object, height);
}

OrderedIndex::Node* OrderedIndex::advance(Node* node, unsigned level, const Cut& cut) {
  while (true) {
    Node* next = node->next(level).load(std::memory_order_acquire);
    // Where the search goes on if `next` is too far: both cache misses at once.
    if (level > 0) __builtin_prefetch(node->next(level - 1).load(std::memory_order_relaxed));
    if (next == nullptr || !next->is_before(cut)) return node;
    node = next;
  }
}

void OrderedIndex::prefetch_behind(const Node& node) {
  const Node* first = node.next(0).load(std::memory_order_acquire);
  if (first == nullptr) return;
  const Word word = first->object_->load();
  if (word.present()) __builtin_prefetch(word.version());
  const Node* second = first->next(0).load(std::memory_order_acquire);
  if (second == nullptr) return;
  __builtin_prefetch(second->object_);
  __builtin_prefetch(second->next(0).load(std::memory_order_acquire));
}

OrderedIndex::Node* OrderedIndex::find_before(const Cut& cut) const {
  Node* node = head_;
  for (unsigned level = kLevels; level-- > 0;) node = advance(node, level, cut);
  return node;
}

void OrderedIndex::find_before(const Cut& cut, Node** before) const {
  Node* node = head_;
  for (unsigned level = kLevels; level-- > 0;) before[level] = node = advance(node, level, cut);
}

OrderedIndex::Node& OrderedIndex::insert(size_t worker, Object& object) noexcept {
  const Cut cut = Cut::before(object.key());
  Node* before[kLevels];
  find_before(cut, before);
  Node* made = nullptr;
  const unsigned height = height_of(object);
  for (unsigned level = 0; level < height; ++level) {
    Node* left = before[level];
    while (true) {
      left = advance(left, level, cut);
      Node* right = left->next(level).load(std::memory_order_acquire);
      if (right != nullptr && right->is_before(cut)) continue;
      if (level == 0 && right != nullptr && right->object_ == &object) {
        std::free(made);
        return *right;
      }
      if (made == nullptr) made = make(&object, height);
      made->next(level).store(right, std::memory_order_relaxed);
      if (left->next(level).compare_exchange_strong(right, made, std::memory_order_acq_rel)) break;
    }
  }
  lists_[worker].bytes += static_cast<int64_t>(footprint(height));
  return *made;
}

OrderedIndex::Found OrderedIndex::skip_unless_present(const Node& node, Skipped& skipped) {
  // The count before the word: absent then, and no more begun since, is absent all the time.
  const uint32_t ended = node.ended_.load(std::memory_order_acquire);
  const uint32_t begun = node.begun_.load(std::memory_order_acquire);
  const Word word = node.object_->load();
  if (word.present()) return {&node, word.version()};
  ++skipped.nodes;
  skipped.begun += begun;
  skipped.settled = skipped.settled && begun == ended;
  return {};
}

bool OrderedIndex::still(const Skipped& skipped, const Node& left, const Node* right) {
  if (!skipped.settled) return false;
  uint64_t nodes = 0;
  uint64_t begun = 0;
  for (const Node* node = left.next(0).load(std::memory_order_acquire); node != right;
       node = node->next(0).load(std::memory_order_acquire)) {
    if (node == nullptr || nodes == skipped.nodes) return false;
    ++nodes;
    begun += node->begun_.load(std::memory_order_acquire);
  }
  return nodes == skipped.nodes && begun == skipped.begun;
}

std::optional<OrderedIndex::Found> OrderedIndex::first(Context* context, const Cut& from,
                                                       const Cut& to, const Node* near) const {
  if (context != nullptr) context->on_access();
  const Node* left = near != nullptr ? near : find_before(from);
  const Node* node = left->next(0).load(std::memory_order_acquire);
  while (near == nullptr && node != nullptr && node->is_before(from)) {
    left = node;
    node = node->next(0).load(std::memory_order_acquire);
  }
  Found found;
  Skipped skipped;
  for (; node != nullptr && node->is_before(to);
       node = node->next(0).load(std::memory_order_acquire)) {
    if (context != nullptr) context->on_access();
    found = skip_unless_present(*node, skipped);
    if (found.node != nullptr) break;
  }
  if (context == nullptr) return found;
  context->on_access();
  return still(skipped, *left, node) ? std::optional(found) : std::nullopt;
}

std::optional<OrderedIndex::Found> OrderedIndex::last(Context* context, const Cut& from,
                                                      const Cut& to) const {
  if (context != nullptr) context->on_access();
  Node* left = find_before(to);
  Node* right = left->next(0).load(std::memory_order_acquire);
  while (right != nullptr && right->is_before(to)) {
    left = right;
    right = left->next(0).load(std::memory_order_acquire);
  }
  Found found;
  Skipped skipped;
  while (left != head_ && !left->is_before(from)) {
    if (context != nullptr) context->on_access();
    found = skip_unless_present(*left, skipped);
    if (found.node != nullptr) break;
    left = find_before(Cut::before(left->object_->key()));
  }
  if (context == nullptr) return found;
  context->on_access();
  return still(skipped, *left, right) ? std::optional(found) : std::nullopt;
}

void OrderedIndex::unlink(const Object& object) {
  Node* before[kLevels];
  find_before(Cut::before(object.key()), before);
  Node* node = before[0]->next(0).load(std::memory_order_relaxed);
  if (node == nullptr || node->object_ != &object) return;
  const unsigned height = height_of(object);
  for (unsigned level = 0; level < height; ++level) {
    EVE_CHECK(before[level]->next(level).load(std::memory_order_relaxed) == node,
              "a node is not where its key belongs");
    before[level]->next(level).store(node->next(level).load(std::memory_order_relaxed),
                                     std::memory_order_relaxed);
  }
  std::free(node);
  lists_[0].bytes -= static_cast<int64_t>(footprint(height));
}

void OrderedIndex::sweep() {
  for (List& list : lists_) {
    std::sort(list.vanished.begin(), list.vanished.end());
    const auto end = std::unique(list.vanished.begin(), list.vanished.end());
    std::for_each(list.vanished.begin(), end, [&](const Object* object) {
      if (!object->load().present()) unlink(*object);
    });
    list.vanished.clear();
  }
}

size_t OrderedIndex::bytes() const {
  int64_t sum = static_cast<int64_t>(footprint(kLevels));
  for (const List& list : lists_) {
    sum += list.bytes + static_cast<int64_t>(list.vanished.capacity() * sizeof(Object*));
  }
  return static_cast<size_t>(sum);
}

}  // namespace eve::state
