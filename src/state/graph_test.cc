#include "eve/graph.h"

#include <gtest/gtest.h>

#include "state/graph_test_support.h"
#include "state/references.h"

namespace eve::state {
namespace {

using testing::Node;
using testing::World;

Context request(uint32_t index, size_t worker = 0) {
  return Context({1, index, 0, 0}, worker, nullptr);
}

/// The texts of the nodes of the newest version, by slot; "-" for other objects, "" for free slots.
std::vector<std::string> texts(const World& w) {
  std::vector<std::string> result;
  for (uint64_t slot = 0; slot < w.engine.counts().slots; ++slot) {
    const auto payload = w.engine.node(w.engine.last(), {0, slot});
    if (!payload) {
      result.emplace_back();
      continue;
    }
    const auto leaf = decode_leaf(*payload);
    const auto node = detail::decode_stored<Node>(leaf->value);
    result.push_back(leaf->free_standing ? node->text : "-");
  }
  return result;
}

TEST(Graph, CreatesReadsAndWrites) {
  World w;
  w.begin();
  Context context = request(0);
  const auto a = w.graph.create<Node>(context);
  const auto b = w.graph.create(context, Node{1, "b", {a}});
  EXPECT_TRUE(a);
  EXPECT_NE(a, b);
  EXPECT_NE(std::hash<Ref<Node>>()(a), std::hash<Ref<Node>>()(b));
  EXPECT_EQ(w.graph.get(context, a), Node());
  EXPECT_EQ(w.graph.get(context, b)->next, std::vector{a});
  EXPECT_TRUE(w.graph.set(context, a, Node{2, "a", {b, a}}));
  EXPECT_EQ(w.graph.get(context, a)->text, "a");
  EXPECT_EQ(w.graph.size(context), 2u);
  w.root.set(context, b);
  w.seal();
  EXPECT_EQ(w.engine.root(), w.engine.recompute_root());
  EXPECT_EQ(w.root.get(context), b);
}

TEST(Graph, NothingIsBehindNullForgedAndStaleReferences) {
  World w;
  w.begin();
  Context context = request(0);
  w.root.set(context, w.graph.create<Node>(context));
  w.seal();
  w.begin();
  const auto stale = w.graph.create<Node>(context);
  w.rollback(1);
  w.begin();
  const auto next = w.graph.create<Node>(context);
  EXPECT_NE(next, stale);
  for (const auto ref : {Ref<Node>(), stale, detail::RefAccess::make<Node>(12345),
                         detail::RefAccess::make<Node>(kGoneHandle)}) {
    EXPECT_EQ(w.graph.get(context, ref), std::nullopt);
    EXPECT_FALSE(w.graph.set(context, ref, Node()));
  }
  // Whatever they were, all that can be stored of them is that nothing is there.
  const auto forged = detail::RefAccess::make<Node>(detail::RefAccess::handle(next) + 1);
  w.graph.set(context, next, Node{0, "n", {stale, forged, Ref<Node>()}});
  w.seal();
  const auto stored = w.graph.get(context, next)->next;
  EXPECT_EQ(stored[0], stored[1]);
  EXPECT_TRUE(stored[0]);
  EXPECT_FALSE(stored[2]);
  w.begin();
  EXPECT_EQ(w.graph.create<Node>(context), forged);
  w.seal();
  EXPECT_EQ(w.engine.root(), w.engine.recompute_root());
  EXPECT_EQ(w.graph.get(context, stored[1]), std::nullopt);
}

// The order of DESIGN 5.3: keyed, by reference (breadth first), by request and number.
TEST(Graph, PlacesByReferenceThenByRequest) {
  World w;
  w.begin();
  Context first = request(5, 3);
  Context second = request(2, 6);
  const auto make = [&](Context& context, const char* text, std::vector<Ref<Node>> next = {}) {
    return w.graph.create(context, Node{0, text, std::move(next)});
  };
  const auto later = make(first, "5.0");
  make(second, "2.0", {make(second, "2.1 (made first)")});
  const auto leaf = make(first, "leaf");
  const auto left = make(first, "left", {leaf});
  const auto right = make(second, "right");
  make(first, "5.3", {later});
  w.links.put(first, "b", right);
  w.links.put(second, "c", left);
  w.links.put(second, "d", leaf);
  w.root.set(first, left);
  w.seal();
  EXPECT_EQ(texts(w), (std::vector<std::string>{"-", "-", "-", "-", "left", "right", "leaf",
                                                "2.1 (made first)", "2.0", "5.0", "5.3"}));
}

TEST(Graph, ExistingObjectsPlaceBeforeNewOnes) {
  World w;
  w.begin();
  Context context = request(0);
  const auto a = w.graph.create(context, Node{0, "a", {}});
  const auto b = w.graph.create(context, Node{0, "b", {}});
  w.links.put(context, "a", a);
  w.links.put(context, "b", b);
  w.seal();
  w.begin();
  w.links.put(context, "0", w.graph.create(context, Node{0, "of a new key", {}}));
  w.graph.set(context, b, Node{0, "b", {w.graph.create(context, Node{0, "of b", {}})}});
  w.graph.set(context, a, Node{0, "a", {w.graph.create(context, Node{0, "of a", {}})}});
  w.seal();
  EXPECT_EQ(texts(w),
            (std::vector<std::string>{"-", "-", "a", "b", "-", "of a", "of b", "of a new key"}));
}

// Two requests that each make a node where there is none: whichever comes first, the state is one.
TEST(Graph, WhoCreatesLeavesNoTrace) {
  const auto run = [](std::vector<uint32_t> order) {
    World w;
    w.begin();
    for (const uint32_t index : order) {
      Context context = request(index, index);
      const std::string own(1, static_cast<char>('a' + index));
      auto shared = w.links.get(context, "shared");
      if (!shared) shared = w.graph.create(context, Node{0, "shared", {}});
      w.links.put(context, "shared", *shared);
      w.links.put(context, own, w.graph.create(context, Node{0, own, {*shared}}));
      w.graph.create(context, Node{0, own + " unlinked", {}});
    }
    return w.seal();
  };
  const auto root = run({0, 1, 2});
  EXPECT_EQ(run({2, 1, 0}), root);
  EXPECT_EQ(run({1, 2, 0}), root);
}

TEST(Graph, UndoneRequestsLeaveNoTrace) {
  const auto run = [](bool disturbed) {
    World w;
    w.begin();
    Context context = request(0);
    const auto a = w.graph.create(context, Node{0, "a", {}});
    w.root.set(context, a);
    if (disturbed) {
      w.engine.mark();
      Context undone = request(1);
      const auto b = w.graph.create(undone, Node{0, "b", {a}});
      w.graph.set(undone, a, Node{0, "spoilt", {b}});
      w.engine.undo_to_mark();
      EXPECT_EQ(w.graph.get(undone, b), std::nullopt);
      EXPECT_EQ(w.graph.get(undone, a)->text, "a");
    }
    w.graph.create(context, Node{0, "c", {}});
    return w.seal();
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Graph, AbsentAndNullReferencesDiffer) {
  const auto run = [](Ref<Node> ref) {
    World w;
    w.begin();
    Context context = request(0);
    w.root.set(context, ref);
    return w.seal();
  };
  EXPECT_NE(run(Ref<Node>()), run(detail::RefAccess::make<Node>(9)));
  EXPECT_EQ(run(detail::RefAccess::make<Node>(8)), run(detail::RefAccess::make<Node>(9)));
}

// A fetched object takes over the handle of the one in its slot, so unchanged referrers find it.
TEST(Graph, FetchKeepsHandlesThatOthersHold) {
  World source;
  World target;
  Context context = request(0);
  for (World* w : {&source, &target}) {
    w->begin();
    const auto a = w->graph.create(context, Node{0, "a", {}});
    w->links.put(context, "1", a);
    w->links.put(context, "2", a);
    w->seal();
  }
  source.begin();
  const auto a = *source.links.get(context, "1");
  source.graph.set(context, a, Node{0, "changed", {source.graph.create<Node>(context), a}});
  source.seal();
  const auto held = *target.links.get(context, "1");
  ASSERT_TRUE(target.fetch_from(source));
  EXPECT_EQ(target.links.get(context, "2"), held);
  const auto fetched = target.graph.get(context, held);
  EXPECT_EQ(fetched->text, "changed");
  EXPECT_EQ(fetched->next[1], held);
  EXPECT_EQ(target.graph.get(context, fetched->next[0]), Node());
  EXPECT_EQ(target.engine.recompute_root(), source.engine.root());
}

// A root over leaves that no replica can have: refused at install, and nothing has changed.
TEST(Graph, InstallThatDoesNotAddUpRestoresHandles) {
  World w;
  w.begin();
  Context context = request(0);
  const auto a = w.graph.create(context, Node{0, "a", {}});
  w.root.set(context, w.graph.create(context, Node{0, "b", {a}}));
  w.graph.set(context, a, Node{0, "a", {w.root.get(context)}});
  w.seal();
  const auto root = w.engine.root();
  // Slot 0 is free, and slot 1 refers to it.
  const Node liar{0, "liar", {detail::RefAccess::make<Node>(0)}};
  const detail::Stored<Node> stored(liar);
  Bytes payload;
  encode_leaf({w.graph_table(), {}, stored.view(), stored.references(), true}, payload);
  const auto leaf = testing::sha256().digest(payload);
  Bytes inner;
  encode_inner(Bytes(crypto::Digest().view()) + Bytes(leaf.view()), inner);
  const Bytes record = encode_root({2, testing::sha256().digest(inner)}, 32);
  Fetch fetch(w.engine, testing::sha256().digest(record));
  ASSERT_TRUE(fetch.supply({TreeNode::kRootLevel, 0}, record));
  ASSERT_TRUE(fetch.supply({1, 0}, inner));
  ASSERT_TRUE(fetch.supply({0, 1}, payload));
  ASSERT_TRUE(fetch.complete());
  EXPECT_FALSE(fetch.install(BatchNumber(7), w.scheduler).ok());
  EXPECT_EQ(w.engine.root(), root);
  EXPECT_EQ(w.engine.recompute_root(), root);
  EXPECT_EQ(w.graph.get(context, a)->text, "a");
  EXPECT_EQ(w.graph.get(context, a)->next[0], w.root.get(context));
}

TEST(Graph, LeavesOfTheWrongKindAreRefused) {
  World w;
  const auto leaf_is_taken = [&](const Leaf& leaf) {
    Bytes payload;
    encode_leaf(leaf, payload);
    const Bytes record = encode_root({1, testing::sha256().digest(payload)}, 32);
    Fetch fetch(w.engine, testing::sha256().digest(record));
    EXPECT_TRUE(fetch.supply({TreeNode::kRootLevel, 0}, record));
    return fetch.supply({0, 0}, payload);
  };
  const uint16_t graph = w.graph_table();
  EXPECT_TRUE(leaf_is_taken({graph, {}, "v", {}, true}));
  EXPECT_FALSE(leaf_is_taken({graph, "key", "v", {}, false}));
  const auto keyed = static_cast<uint16_t>(graph + 1);
  EXPECT_TRUE(leaf_is_taken({keyed, "key", "v", {}, false}));
  EXPECT_FALSE(leaf_is_taken({keyed, {}, "v", {}, true}));
  EXPECT_FALSE(leaf_is_taken({999, {}, "v", {}, true}));
}

TEST(NodeFormat, ReferencesComeBackAndNonsenseIsRefused) {
  const auto packed = [](std::vector<uint32_t> offsets) {
    Bytes out;
    for (const uint32_t offset : offsets) Codec<uint32_t>::encode(offset, out);
    return out;
  };
  const Bytes value(32, 'v');
  for (const bool free_standing : {false, true}) {
    const auto decodes = [&](std::vector<uint32_t> offsets) {
      const Bytes references = packed(std::move(offsets));
      Bytes payload;
      encode_leaf({3, free_standing ? "" : "key", value, references, free_standing}, payload);
      const auto leaf = decode_leaf(payload);
      return leaf && leaf->table == 3 && leaf->value == value && leaf->references == references &&
             leaf->free_standing == free_standing && leaf->key == (free_standing ? "" : "key");
    };
    EXPECT_TRUE(decodes({}));
    EXPECT_TRUE(decodes({0, 8, 24}));
    EXPECT_TRUE(decodes({24}));
    EXPECT_FALSE(decodes({25}));
    EXPECT_FALSE(decodes({0, 7}));
    EXPECT_FALSE(decodes({8, 0}));
    EXPECT_FALSE(decodes({UINT32_MAX}));
  }
  // Kind 2 without references would be a second spelling of kind 1.
  EXPECT_FALSE(decode_leaf(std::string("\1\2\0\0\0\0\0\0\0\0\0\0", 12)));
  EXPECT_TRUE(decode_leaf(std::string("\1\3\0\0\0\0\0\0", 8)));
  EXPECT_FALSE(decode_leaf(std::string("\1\3\0\0\xff\xff\xff\xff", 8)));
  EXPECT_FALSE(decode_leaf(std::string("\1\4\0\0\0\0\0\0", 8)));
}

}  // namespace
}  // namespace eve::state
