#include "state/gc.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "state/graph_test_support.h"

namespace eve::state {
namespace {

using testing::Node;
using testing::World;

/// A world whose batches can be told to do nothing, with `reserve` unlinked objects to start with.
class GarbageTest : public ::testing::Test {
 protected:
  Context context_ = testing::on_worker(0);

  Ref<Node> make(World& w, uint64_t id, std::vector<Ref<Node>> next = {}) {
    return w.graph.create(context_, Node{id, "", std::move(next)});
  }
  void idle(World& w) {
    w.begin();
    w.seal();
    ASSERT_EQ(w.engine.root(), w.engine.recompute_root());
    w.engine.commit(BatchNumber(w.engine.last().value() > 20 ? w.engine.last().value() - 20 : 0));
  }
  uint64_t length(World& w) {
    uint64_t result = 0;
    for (Ref<Node> at = w.root.get(context_); at; ++result) {
      const auto node = w.graph.get(context_, at);
      EXPECT_TRUE(node);
      if (!node || node->next.empty()) return result + 1;
      at = node->next[0];
    }
    return result;
  }
  /// Objects that the collector keeps for itself.
  static uint64_t own(World& w) { return w.engine.table("eve.gc", TableKind::kGarbage).size(); }
  /// A list of `length` from the root, and garbage: a list, a ring, and single objects.
  void fill(World& w, uint64_t length, uint64_t garbage) {
    w.begin();
    Ref<Node> kept;
    Ref<Node> lost;
    for (uint64_t i = 0; i < length; ++i) {
      kept = make(w, i, kept ? std::vector{kept} : std::vector<Ref<Node>>());
    }
    const auto ring = make(w, 7);
    for (uint64_t i = 0; i < garbage; ++i) {
      lost = make(w, i, i % 3 == 0 ? std::vector<Ref<Node>>() : std::vector{lost, ring});
    }
    w.graph.set(context_, ring, Node{7, "", {lost}});
    w.root.set(context_, kept);
    w.seal();
  }
};

TEST_F(GarbageTest, WhatIsUnreachableGoesAndNothingElse) {
  World w;
  fill(w, 700, 2000);
  EXPECT_GT(own(w), 0u);
  for (int i = 0; i < 40 && w.objects() > 700; ++i) idle(w);
  EXPECT_EQ(w.objects(), 700u);
  EXPECT_EQ(length(w), 700u);
  EXPECT_EQ(own(w), 1u) << "the bitmaps are gone";
  // Slots are used again, and no cycle begins before it is worth it.
  const uint64_t slots = w.engine.counts().slots;
  fill(w, 700, 1022);  // with the ring 1,723 new ones, 2,423 objects: one less than 2 x 700 + 1,024
  EXPECT_EQ(w.engine.counts().slots, slots);
  idle(w);
  EXPECT_EQ(w.objects(), 2423u);
  w.begin();
  make(w, 1);
  w.seal();
  for (int i = 0; i < 40 && w.objects() > 700; ++i) idle(w);
  EXPECT_EQ(w.objects(), 700u);
  EXPECT_EQ(length(w), 700u);
}

TEST_F(GarbageTest, NothingHappensWithoutObjects) {
  World w;
  for (int i = 0; i < 5; ++i) idle(w);
  EXPECT_EQ(w.engine.counts().objects, 0u);
}

TEST_F(GarbageTest, WorkOfASealIsBounded) {
  World w;
  fill(w, 1, 5000);
  uint64_t before = w.objects();
  size_t steps = 0;
  for (; w.objects() > 1; ++steps) {
    ASSERT_LT(steps, 100u);
    idle(w);
    ASSERT_LE(before - w.objects(), Collector::kStep);
    before = w.objects();
  }
  EXPECT_GT(steps, 5000 / Collector::kStep);
}

// At every seal of a cycle, the only reference to a chain moves: to where the cursor has been, or
// has not; out of and into free-standing objects.
TEST_F(GarbageTest, WhatMovesDuringACycleStays) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    World w;
    Random random(seed);
    w.begin();
    const auto holder = make(w, 9);
    for (int i = 0; i < 900; ++i) w.links.put(context_, std::to_string(i), holder);
    uint64_t at = random.below(900);
    w.links.put(context_, std::to_string(at), make(w, 0, {make(w, 1, {make(w, 2)})}));
    w.seal();
    fill(w, 3, 1500);
    for (int round = 0; w.objects() > 7; ++round) {
      ASSERT_LT(round, 100);
      w.begin();
      const auto chain = at == 900 ? w.graph.get(context_, holder)->next[0]
                                   : *w.links.get(context_, std::to_string(at));
      w.graph.set(context_, holder, Node{9, "", {}});
      if (at < 900) w.links.put(context_, std::to_string(at), holder);
      at = random.chance(1, 3) ? 900 : random.below(900);
      if (at < 900) w.links.put(context_, std::to_string(at), chain);
      if (at == 900) w.graph.set(context_, holder, Node{9, "", {chain}});
      if (at == 5) w.links.put(context_, "6", holder);
      w.seal();
      const auto first = w.graph.get(context_, chain);
      ASSERT_TRUE(first);
      const auto second = w.graph.get(context_, first->next.at(0));
      ASSERT_TRUE(second);
      ASSERT_TRUE(w.graph.get(context_, second->next.at(0)));
    }
    ASSERT_EQ(w.engine.root(), w.engine.recompute_root());
  }
}

// A service may not keep references in its own memory. If it does, nothing breaks: what is left of
// the object can be linked again, and references to what is gone read as nothing.
TEST_F(GarbageTest, ReferencesKeptOutsideAreSafe) {
  World w;
  w.begin();
  std::vector<Ref<Node>> kept;
  for (uint64_t i = 0; i < 3000; ++i) {
    kept.push_back(make(w, i, i == 0 ? std::vector<Ref<Node>>() : std::vector{kept.back()}));
  }
  w.seal();
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    w.begin();
    for (int i = 0; i < 5; ++i) {
      const auto one = kept[random.below(kept.size())];
      const auto other = kept[random.below(kept.size())];
      w.links.put(context_, std::to_string(random.below(10)), one);
      w.graph.set(context_, other, Node{1, "again", {one, other}});
    }
    w.seal();
    ASSERT_EQ(w.engine.root(), w.engine.recompute_root());
  }
}

TEST_F(GarbageTest, NewObjectsOutliveTheCycle) {
  World w;
  w.begin();
  for (int i = 0; i < 10; ++i) w.links.put(context_, std::to_string(i), Ref<Node>());
  w.seal();
  fill(w, 1, 2000);
  w.begin();
  for (int i = 0; i < 10; ++i) w.links.erase(context_, std::to_string(i));
  for (uint64_t i = 0; i < 20; ++i) make(w, i);  // in slots that the cycle covers, and in others
  w.seal();
  for (int i = 0; i < 40 && w.objects() > 21; ++i) idle(w);
  for (int i = 0; i < 10; ++i) idle(w);
  EXPECT_EQ(w.objects(), 21u);
}

// Whether a request wrote what was there already depends on races that leave the same state.
TEST_F(GarbageTest, OverwritingWithTheSameLeavesNoTrace) {
  std::vector<crypto::Digest> roots[2];
  for (const bool overwrite : {false, true}) {
    World w;
    fill(w, 1, 900);
    w.begin();
    for (int i = 0; i < 600; ++i) w.links.put(context_, std::to_string(i), Ref<Node>());
    w.seal();
    w.begin();
    const auto late = make(w, 1, {w.root.get(context_)});
    w.links.put(context_, "late", late);
    w.seal();
    fill(w, 1, 900);
    for (int round = 0; round < 25; ++round) {
      w.begin();
      if (overwrite) {
        w.links.put(context_, "late", late);
        w.graph.set(context_, late, *w.graph.get(context_, late));
      }
      roots[overwrite].push_back(w.seal());
    }
    EXPECT_LT(w.objects(), 10u);
  }
  EXPECT_EQ(roots[0], roots[1]);
}

// The step at a seal is undone with its batch, and done again alike.
TEST_F(GarbageTest, RollbackInACycleGoesBackExactly) {
  World w;
  fill(w, 500, 2500);
  std::vector<crypto::Digest> roots{crypto::Digest(), w.engine.root()};
  for (int i = 0; i < 30; ++i) {
    w.begin();
    w.seal();
    roots.push_back(w.engine.root());
  }
  ASSERT_EQ(w.objects(), 500u);
  Random random(3);
  for (int round = 0; round < 20; ++round) {
    const uint64_t to = 1 + random.below(30);
    w.rollback(to);
    ASSERT_EQ(w.engine.root(), roots[to]);
    ASSERT_EQ(w.engine.recompute_root(), roots[to]);
    EXPECT_EQ(length(w), 500u);
    for (uint64_t n = to + 1; n < roots.size(); ++n) {
      w.begin();
      ASSERT_EQ(w.seal(), roots[n]);
    }
  }
}

TEST_F(GarbageTest, TransferInACycleGoesOnAlike) {
  for (int when = 0; when < 24; when += 3) {
    World source;
    World target;
    fill(source, 400, 2000);
    fill(target, 300, 100);
    for (int i = 0; i < when; ++i) idle(source);
    ASSERT_TRUE(target.fetch_from(source));
    ASSERT_EQ(target.engine.recompute_root(), source.engine.root());
    while (source.objects() > 400) {
      idle(source);
      idle(target);
      ASSERT_EQ(target.engine.root(), source.engine.root());
    }
    EXPECT_EQ(length(target), 400u);
  }
}

TEST_F(GarbageTest, ServicesCannotOpenItsTable) {
  World w;
  EXPECT_THROW(ByteMap(w.state, "eve.gc"), std::invalid_argument);
}

// Whatever the objects of its table hold (they can come from a peer), memory is safe.
TEST(Collector, NonsenseIsSurvived) {
  UndoLog undo(1);
  undo.add_table();
  undo.add_table();
  Table graph(0, "graph", TableKind::kGraph, testing::sha256(), undo);
  Table own(1, "own", TableKind::kGarbage, testing::sha256(), undo);
  graph.refer_to(&graph);
  Slots slots;
  undo.open();
  for (uint32_t i = 0; i < 1500; ++i) {
    Bytes value;
    Bytes references;
    Codec<uint64_t>::encode(i, value);
    Codec<uint32_t>::encode(0, references);
    slots.place(i, graph.named(graph.create(0, {0, i}, value, references)));
    slots.vacate(i % 7 == 0 ? i : i / 2 + 1);
  }
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    for (uint64_t part = 0; part < 3; ++part) {
      Bytes value(random.below(part == 0 ? 60 : 1400), '\0');
      for (int i = 0; i < 6 && !value.empty(); ++i) {
        const auto byte = static_cast<char>(random.below(random.chance(1, 2) ? 4 : 256));
        value[random.below(std::min<size_t>(value.size(), 45))] = byte;
      }
      // Most of them well-formed: 33 bytes of numbers, and a list with its length before it.
      if (part == 0 && random.chance(3, 4)) {
        value.resize(37 + 8 * random.below(3));
        value.replace(
            33, 4,
            std::string(1, static_cast<char>((value.size() - 37) / 8)) + std::string(3, '\0'));
        value[0] = static_cast<char>(1 + random.below(3));
      }
      Bytes key(part == 0 ? 0 : 8, '\0');
      if (part > 0) key.back() = static_cast<char>(part - 1);
      own.put(0, key, value);
    }
    Collector collector(graph, own, slots);
    if (!collector.runs()) continue;
    const Object* some = slots.at(random.below(slots.size()));
    if (some != nullptr) collector.changed(*some);
    collector.step(random.below(20));
    EXPECT_LE(collector.unreachable().size(), 1500u);
    for (const auto& [key, value] : collector.writes()) EXPECT_LE(key.size(), 8u);
  }
  for (Version* version : undo.lists()[0].retired) Version::destroy(version);
}

}  // namespace
}  // namespace eve::state
