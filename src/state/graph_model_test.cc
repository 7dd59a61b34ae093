// Random object graphs on several engines against a plain model: whoever executes what, in which
// order, on which worker; whether a replica executed, rolled back or fetched; in and out of garbage
// collections. Roots agree, what is reachable is there, old versions read as they were.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>

#include "state/graph_test_support.h"
#include "state/references.h"

namespace eve::state {
namespace {

using testing::Node;
using testing::World;

constexpr uint32_t kRequests = 8;

const crypto::Digester& xxh() {
  return testing::digester(crypto::DigestAlgorithm::kXxh3);
}

/// What the state should be: nodes by the number that they carry, lists by the name of their head.
struct Plain {
  struct Item {
    std::string text;
    std::vector<uint64_t> next;
  };
  std::map<uint64_t, Item> items;
  std::map<std::string, uint64_t> heads;
};

/// One request, on a replica or on the model: what it does depends on `seed` and on what it reads
/// alone. Requests of one batch write apart from each other: each has its own heads, and what can
/// be reached from them by first references. Second references go anywhere that no request of the
/// batch creates; the heads called "shared" change in batches of one request only.
class Replica {
 public:
  Replica(World& w, Context context, uint64_t& operations)
      : w_(w), context_(context), operations_(operations) {}
  using Handle = Ref<Node>;
  Handle head(const std::string& name) { return links().get(context_, name).value_or(Handle()); }
  void set_head(const std::string& name, Handle to) { links().put(context_, name, to); }
  void drop_head(const std::string& name) { links().erase(context_, name); }
  Node read(Handle at) {
    ++operations_;
    const auto node = w_.graph.get(context_, at);
    EXPECT_TRUE(node) << "a reachable object is not there";
    return node.value_or(Node());
  }
  void write(Handle at, const Node& node) {
    ++operations_;
    EXPECT_TRUE(w_.graph.set(context_, at, node));
  }
  Handle create(const Node& node) {
    ++operations_;
    return w_.graph.create(context_, node);
  }

 private:
  Map<std::string, Ref<Node>>& links() {
    ++operations_;
    return w_.links;
  }

  World& w_;
  Context context_;
  uint64_t& operations_;
};

struct PlainNode {
  uint64_t id = 0;
  std::string text;
  std::vector<uint64_t> next;
};

class OnPlain {
 public:
  explicit OnPlain(Plain& plain) : plain_(plain) {}
  using Handle = uint64_t;
  Handle head(const std::string& name) {
    const auto found = plain_.heads.find(name);
    return found == plain_.heads.end() ? 0 : found->second;
  }
  void set_head(const std::string& name, Handle to) { plain_.heads[name] = to; }
  void drop_head(const std::string& name) { plain_.heads.erase(name); }
  PlainNode read(Handle at) { return {at, plain_.items.at(at).text, plain_.items.at(at).next}; }
  void write(Handle at, const PlainNode& node) { plain_.items[at] = {node.text, node.next}; }
  Handle create(const PlainNode& node) {
    plain_.items[node.id] = {node.text, node.next};
    return node.id;
  }

 private:
  Plain& plain_;
};

/// Lists (by first references), with second references across them.
template <typename Target>
class Request {
 public:
  using Handle = typename Target::Handle;
  Request(Target target, uint64_t seed, uint64_t batch, uint32_t index, std::string prefix)
      : target_(target),
        random_(seed),
        id_((batch << 32) | (uint64_t{index} << 24)),
        prefix_(std::move(prefix)) {}

  void run(uint64_t operations) {
    for (uint64_t i = 0; i < operations; ++i) operate();
  }

 private:
  std::string head_name() { return prefix_ + std::to_string(random_.below(4)); }
  auto make(Handle first) {
    decltype(target_.read(Handle())) node;
    node.id = ++id_;
    node.text.assign(random_.below(12), 'x');
    if (first != Handle()) node.next.push_back(first);
    return node;
  }
  /// A few steps down a list; null if it ends.
  Handle walk() {
    Handle at = target_.head(head_name());
    for (uint64_t steps = random_.below(6); steps > 0 && at != Handle(); --steps) {
      const auto node = target_.read(at);
      at = node.next.empty() ? Handle() : node.next[0];
    }
    return at;
  }
  void operate() {
    const std::string name = head_name();
    const Handle head = target_.head(name);
    const uint64_t what = random_.below(16);
    if (what < 5) {
      target_.set_head(name, target_.create(make(head)));
    } else if (what < 8) {
      if (head == Handle()) return;
      const auto node = target_.read(head);  // the head is unlinked, garbage unless shared
      if (node.next.empty()) {
        target_.drop_head(name);
      } else {
        target_.set_head(name, node.next[0]);
      }
    } else if (what < 9) {
      target_.create(make(head));  // never linked
    } else if (what < 10) {
      ring(name);
    } else {
      change(walk());
    }
  }
  /// Cuts the list, and leaves a ring of two with nobody to refer to it.
  void ring(const std::string& name) {
    const Handle one = target_.create(make(Handle()));
    const auto other = make(one);
    const Handle second = target_.create(other);
    auto node = target_.read(one);
    node.next = {second, one};
    target_.write(one, node);
    if (random_.chance(1, 4)) target_.drop_head(name);
  }
  void change(Handle at) {
    if (at == Handle()) return;
    auto node = target_.read(at);
    if (random_.chance(1, 4)) node.text = std::to_string(random_.below(1000));
    const Handle shared = target_.head("shared" + std::to_string(random_.below(4)));
    if (random_.chance(1, 2) && !node.next.empty() && shared != Handle()) {
      node.next.resize(1);
      node.next.push_back(shared);
    } else if (random_.chance(1, 3) && node.next.size() > 1) {
      node.next.pop_back();
    }
    target_.write(at, node);
  }

  Target target_;
  Random random_;
  uint64_t id_;
  const std::string prefix_;
};

struct Batch {
  uint64_t number;
  uint64_t seed;
  bool shared;  ///< of one request, which changes the shared heads

  uint32_t requests() const { return shared ? 1 : kRequests; }
  template <typename Target>
  void run(Target target, uint32_t index, uint64_t operations) const {
    const std::string prefix = shared ? "shared" : std::string(1, static_cast<char>('a' + index));
    Request<Target>(target, seed + index, number, index, prefix).run(operations);
  }
};

Context context_of(const Batch& batch, uint32_t index, size_t worker) {
  return Context({batch.number, index, 0, 0}, worker, nullptr);
}

/// Whether what can be reached from the heads of `w` is what `plain` says.
::testing::AssertionResult is_like(World& w, const Plain& plain) {
  Context context = testing::on_worker(0);
  std::map<uint64_t, Ref<Node>> seen;
  std::vector<Ref<Node>> open;
  for (const auto& [name, id] : plain.heads) {
    const auto ref = w.links.get(context, name);
    const auto node = ref ? w.graph.get(context, *ref) : std::nullopt;
    if (!node || node->id != id) return ::testing::AssertionFailure() << "head " << name;
    if (seen.emplace(id, *ref).second) open.push_back(*ref);
  }
  while (!open.empty()) {
    const auto node = w.graph.get(context, open.back());
    open.pop_back();
    const auto& item = plain.items.at(node->id);
    if (node->text != item.text || node->next.size() != item.next.size()) {
      return ::testing::AssertionFailure() << "node " << node->id;
    }
    for (size_t i = 0; i < item.next.size(); ++i) {
      const auto to = w.graph.get(context, node->next[i]);
      if (!to || to->id != item.next[i]) return ::testing::AssertionFailure() << item.next[i];
      const auto [known, added] = seen.emplace(to->id, node->next[i]);
      if (known->second != node->next[i]) return ::testing::AssertionFailure() << "two of one";
      if (added) open.push_back(node->next[i]);
    }
  }
  return ::testing::AssertionSuccess();
}

using Leaves = std::vector<std::optional<Bytes>>;

Leaves leaves_of(const World& w, uint64_t n) {
  Leaves result;
  const auto root = w.engine.node(BatchNumber(n), {TreeNode::kRootLevel, 0});
  result.resize(decode_root(*root, xxh().size())->slots);
  for (uint64_t slot = 0; slot < result.size(); ++slot) {
    result[slot] = w.engine.node(BatchNumber(n), {0, slot});
  }
  return result;
}

/// The number that the node at `slot` carries; 0 if there is none.
uint64_t id_at(const Leaves& leaves, uint64_t slot) {
  if (slot >= leaves.size() || !leaves[slot]) return 0;
  const auto leaf = decode_leaf(*leaves[slot]);
  const auto node = leaf->free_standing ? detail::decode_stored<Node>(leaf->value) : std::nullopt;
  return node ? node->id : 0;
}

/// DESIGN 5.3 read off the payloads: new objects have the lowest slots that were free, in the order
/// in which a walk from the changed leaves meets them; those it does not meet come last, in the
/// order of their numbers (batch, request, sequence), each followed by what it leads to.
::testing::AssertionResult placed_well(const Leaves& before, const Leaves& after, uint64_t batch) {
  const auto is_new = [&](uint64_t slot) { return id_at(after, slot) >> 32 == batch; };
  std::deque<uint64_t> open;
  std::vector<uint64_t> fresh_keyed;
  std::map<uint64_t, uint64_t> waiting;  // id to slot
  for (uint64_t slot = 0; slot < after.size(); ++slot) {
    const auto leaf = after[slot] ? decode_leaf(*after[slot]) : std::nullopt;
    if (!leaf) continue;
    const auto old =
        slot < before.size() && before[slot] ? decode_leaf(*before[slot]) : std::nullopt;
    const bool same = old && old->free_standing == leaf->free_standing && old->key == leaf->key;
    if (leaf->free_standing && is_new(slot)) {
      if (!old || id_at(before, slot) != id_at(after, slot)) waiting[id_at(after, slot)] = slot;
    } else if (!same) {
      fresh_keyed.push_back(slot);
    } else if (before[slot] != after[slot]) {
      open.push_back(slot);
    }
  }
  // New keyed objects have ascending slots in the order of their keys: one table, and no others.
  open.insert(open.end(), fresh_keyed.begin(), fresh_keyed.end());
  std::vector<uint64_t> order;
  const auto walk = [&] {
    for (; !open.empty(); open.pop_front()) {
      const auto leaf = decode_leaf(*after[open.front()]);
      each_reference(leaf->references, leaf->value, [&](uint64_t to) {
        if (waiting.erase(id_at(after, to)) == 0) return;
        order.push_back(to);
        open.push_back(to);
      });
    }
  };
  walk();
  while (!waiting.empty()) {
    open.push_back(waiting.begin()->second);
    order.push_back(waiting.begin()->second);
    waiting.erase(waiting.begin());
    walk();
  }
  if (!std::is_sorted(order.begin(), order.end())) return ::testing::AssertionFailure() << "order";
  return ::testing::AssertionSuccess();
}

/// Two engines that execute in different ways, one that fetches now and then, and the model.
class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed), a_(xxh()), b_(xxh()), c_(xxh()) {
    versions_.emplace_back();
    // What is there when the walk begins is enough for a collection to be due now and then.
    for (int i = 0; i < 6; ++i) execute(10 + random_.below(25));
  }

  void run(uint64_t steps) {
    for (uint64_t i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
  }
  uint64_t operations() const { return operations_; }
  uint64_t collected() const { return collected_; }

 private:
  void step() {
    const uint64_t committed = a_.engine.committed().value();
    const uint64_t ahead = a_.engine.last().value() - committed;
    const uint64_t what = random_.below(ahead < 20 ? 24 : 3);
    if (what == 0) {
      commit(committed + random_.below(ahead + 1));
    } else if (what == 1) {
      roll_back(committed + random_.below(ahead + 1));
    } else if (what == 2) {
      commit(committed + random_.below(ahead + 1));
      read_old();
    } else if (what == 3) {
      fetch();
    } else {
      execute(random_.below(25));
    }
  }

  std::vector<World*> executing() {
    std::vector<World*> result{&a_, &b_};
    if (c_follows_) result.push_back(&c_);
    return result;
  }

  void execute(uint64_t operations) {
    const Batch batch{a_.engine.last().value() + 1, random_.next(), random_.chance(1, 6)};
    const bool look = random_.chance(1, 8);
    const Leaves before = look ? leaves_of(a_, batch.number - 1) : Leaves();
    const uint64_t objects_before = a_.objects();
    Plain plain = versions_.back();
    for (uint32_t i = 0; i < batch.requests(); ++i) batch.run(OnPlain(plain), i, operations);
    versions_.push_back(plain);
    for (World* w : executing()) {
      w->begin();
      std::vector<uint32_t> order(batch.requests());
      for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
      for (size_t i = order.size(); i > 1 && w != &a_; --i) {
        std::swap(order[i - 1], order[random_.below(i)]);
      }
      for (const uint32_t i : order) {
        const size_t worker = w == &a_ ? 0 : random_.below(8);
        batch.run(Replica(*w, context_of(batch, i, worker), operations_), i, operations);
      }
      w->seal();
      ASSERT_EQ(w->engine.root(), a_.engine.root());
    }
    if (a_.objects() < objects_before) ++collected_;
    if (!look) return;
    ASSERT_TRUE(is_like(b_, plain));
    ASSERT_EQ(a_.engine.recompute_root(), a_.engine.root());
    const Leaves after = leaves_of(a_, batch.number);
    ASSERT_EQ(after, leaves_of(b_, batch.number));
    ASSERT_TRUE(placed_well(before, after, batch.number));
    snapshots_[batch.number] = after;
  }

  void commit(uint64_t n) {
    for (World* w : executing()) w->engine.commit(BatchNumber(n));
  }

  void roll_back(uint64_t n) {
    for (World* w : executing()) {
      if (w == &c_ && n < c_.engine.committed().value()) {
        c_follows_ = false;
        continue;
      }
      if (random_.chance(1, 2)) {
        w->begin();
        Batch{n + 1, random_.next(), false}.run(Replica(*w, testing::on_worker(3), operations_), 3,
                                                random_.below(20));
      }
      w->rollback(n);
      ASSERT_EQ(w->engine.root(), *a_.engine.root_at(BatchNumber(n)));
    }
    versions_.resize(n + 1);
    snapshots_.erase(snapshots_.upper_bound(n), snapshots_.end());
    ASSERT_TRUE(is_like(a_, versions_.back()));
    ASSERT_EQ(a_.engine.recompute_root(), a_.engine.root());
  }

  /// Versions looked at when they were new read the same now, from both.
  void read_old() {
    for (const auto& [n, leaves] : snapshots_) {
      if (n < a_.engine.oldest().value() || random_.chance(1, 2)) continue;
      ASSERT_EQ(leaves_of(a_, n), leaves);
      ASSERT_EQ(leaves_of(b_, n), leaves);
    }
  }

  void fetch() {
    if (c_.engine.last() > a_.engine.last()) return;
    if (c_follows_ && random_.chance(1, 2)) {
      c_follows_ = false;  // falls behind; its state is some older one from now on
      return;
    }
    ASSERT_TRUE(c_.fetch_from(b_));
    c_follows_ = true;
    ASSERT_EQ(c_.engine.root(), a_.engine.root());
    ASSERT_EQ(c_.engine.recompute_root(), a_.engine.root());
    ASSERT_TRUE(is_like(c_, versions_.back()));
  }

  Random random_;
  World a_;  // one worker, in order
  World b_;  // eight, in any order
  World c_;  // fetches, and then executes too
  bool c_follows_ = false;
  std::vector<Plain> versions_;
  std::map<uint64_t, Leaves> snapshots_;
  uint64_t operations_ = 0;
  uint64_t collected_ = 0;
};

TEST(GraphModel, RandomWalks) {
  uint64_t operations = 0;
  uint64_t collected = 0;
  const bool held = rc::check("engines agree, and with the model", [&] {
    Walk walk(*rc::gen::arbitrary<uint64_t>());
    walk.run(*rc::gen::inRange<uint64_t>(25, 50));
    operations += walk.operations();
    collected += walk.collected();
    RC_ASSERT(!::testing::Test::HasFailure());
  });
  EXPECT_TRUE(held);
  EXPECT_GT(operations, 1'000'000u);
  EXPECT_GT(collected, 10u);
}

/// The same batches on real threads.
std::vector<crypto::Digest> roots_on_threads(size_t threads, uint64_t seed) {
  World w(xxh());
  testing::ThreadScheduler scheduler(threads);
  std::vector<crypto::Digest> roots;
  for (uint64_t n = 1; n <= 40; ++n) {
    w.begin();
    const Batch batch{n, seed * 1000 + n * 100, n % 7 == 0};
    scheduler.run(batch.requests(), 0, [&](size_t worker, size_t index) {
      const auto i = static_cast<uint32_t>(index);
      uint64_t operations = 0;
      batch.run(Replica(w, context_of(batch, i, worker), operations), i, 40);
    });
    roots.push_back(w.engine.seal(scheduler));
    w.engine.commit(BatchNumber(n));
  }
  EXPECT_EQ(w.engine.recompute_root(), w.engine.root());
  return roots;
}

TEST(GraphModel, ThreadsLeaveNoTrace) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto expected = roots_on_threads(1, seed);
    EXPECT_EQ(roots_on_threads(2, seed), expected);
    EXPECT_EQ(roots_on_threads(8, seed), expected);
  }
}

// Requests that race on the same objects: the result is anyone's, but it is a state.
TEST(GraphModel, RacesAreSafe) {
  World w(xxh());
  testing::ThreadScheduler scheduler(4);
  for (uint64_t n = 1; n <= 25; ++n) {
    w.begin();
    scheduler.run(16, 0, [&](size_t worker, size_t index) {
      const auto i = static_cast<uint32_t>(index);
      Context context({n, i, 0, 0}, worker, nullptr);
      Random random(n * 100 + i);
      for (int step = 0; step < 60; ++step) {
        const std::string name = std::to_string(random.below(8));
        const auto at = w.links.get(context, name).value_or(Ref<Node>());
        auto node = w.graph.get(context, at).value_or(Node());
        node.next.resize(std::min<size_t>(node.next.size(), 4));
        node.next.push_back(random.chance(1, 2) ? at : w.graph.create(context, node));
        if (random.chance(1, 2)) w.graph.set(context, at, node);
        w.links.put(context, name, node.next[random.below(node.next.size())]);
        if (random.chance(1, 20)) w.links.erase(context, name);
      }
    });
    w.engine.seal(scheduler);
    ASSERT_EQ(w.engine.recompute_root(), w.engine.root());
    if (n % 5 == 0) {
      w.engine.rollback(BatchNumber(n - 1), scheduler);
      w.begin();
      w.seal();
    }
    w.engine.commit(BatchNumber(n));
  }
}

}  // namespace
}  // namespace eve::state
