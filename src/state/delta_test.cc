// Deltas one by one: their bytes, what applying one does, and what is refused.
#include "state/delta.h"

#include <gtest/gtest.h>

#include "eve/codec.h"
#include "eve/pages.h"
#include "state/delta_format.h"
#include "state/graph_test_support.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::Model;
using testing::sha256;

/// What `engine`'s batch `n` changed; fails the test if it is not held.
Bytes delta_of(const Engine& engine, uint64_t n) {
  const auto delta = engine.delta(BatchNumber(n));
  EXPECT_TRUE(delta.ok()) << delta.status().message();
  return delta.ok() ? *delta : Bytes();
}

template <typename Replica>
Status follow(Replica& to, const Engine& from) {
  const BatchNumber n = to.engine.last().next();
  return to.engine.apply(n, delta_of(from, n.value()), to.scheduler);
}

/// Everything that can be told of two engines from outside is the same.
template <typename Replica>
void expect_same(const Replica& a, const Replica& b) {
  EXPECT_EQ(a.engine.last(), b.engine.last());
  EXPECT_EQ(a.engine.root(), b.engine.root());
  EXPECT_EQ(b.engine.recompute_root(), b.engine.root());
  EXPECT_EQ(a.engine.logical_bytes(), b.engine.logical_bytes());
  EXPECT_EQ(a.engine.counts().objects, b.engine.counts().objects);
  EXPECT_EQ(a.engine.counts().slots, b.engine.counts().slots);
}

/// Three keys in slots 0 to 2, and a batch that changes, frees, takes again and adds.
struct Golden {
  Golden() {
    f.begin();
    f.put(0, "a", "0123456789");
    f.put(0, "b", "gone soon");
    f.put(0, "c", "as it was");
    f.put(1, "d", "gone too");
    f.seal();
    f.begin();
    f.put(0, "a", "01234x6789");
    f.erase(0, "b");
    f.put(0, "c", "as it was");
    f.erase(1, "d");
    f.put(1, "n", "new");
    f.seal();
  }
  Fixture f;
};

TEST(Delta, HasTheseBytes) {
  const Golden g;
  Bytes leaf("\x01\x01\x01\x00\x01\x00\x00\x00nnew", 12);
  Bytes expected("\x06\x01\x02\x00\x00\x00\x00\x00\x00\x00", 10);
  expected += g.f.engine.root_at(BatchNumber(1))->view();
  expected += g.f.engine.root().view();
  expected += Bytes("\x01\x02\x05\x04\x01x", 6);  // slot 0: five bytes, x, four bytes
  expected += Bytes("\x01\x01\x0c", 3) + leaf;    // slot 1: n, where b was
  expected += Bytes("\x02\x00", 2);               // slot 3: free
  expected += Bytes(1, '\0');
  EXPECT_EQ(delta_of(g.f.engine, 2), expected);
}

TEST(Delta, MakesTheSameStateElsewhere) {
  const Golden g;
  Fixture to;
  for (int n = 1; n <= 2; ++n) ASSERT_TRUE(follow(to, g.f.engine).ok());
  expect_same(g.f, to);
  EXPECT_EQ(to.get(0, "a"), "01234x6789");
  EXPECT_EQ(to.get(0, "b"), std::nullopt);
  EXPECT_EQ(to.get(0, "c"), "as it was");
  EXPECT_EQ(to.get(1, "n"), "new");
  EXPECT_EQ(to.size(0), 2u);
  EXPECT_EQ(to.size(1), 1u);
  EXPECT_EQ(delta_of(to.engine, 1), delta_of(g.f.engine, 1));
  EXPECT_EQ(delta_of(to.engine, 2), delta_of(g.f.engine, 2));
}

TEST(Delta, OfABatchThatChangedNothing) {
  Fixture from;
  Fixture to;
  from.begin();
  from.put(0, "here", "and");
  from.erase(0, "here");
  from.seal();
  from.begin();
  from.put(0, "key", "value");
  from.seal();
  from.begin();
  from.put(0, "key", "other");
  from.put(0, "key", "value");
  from.seal();
  for (int n = 1; n <= 3; ++n) ASSERT_TRUE(follow(to, from.engine).ok());
  expect_same(from, to);
  const size_t nothing = 10 + 2 * sha256().size() + 1;
  EXPECT_EQ(delta_of(from.engine, 1).size(), nothing);
  EXPECT_EQ(delta_of(from.engine, 3).size(), nothing);
}

// Trap 12: keys deleted and created again, in any order; who comes later takes the same slots.
TEST(Delta, LeavesTheSamePlacesForLaterObjects) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture one;
    Fixture other;
    Model model;
    std::map<Model::Name, std::string> objects;
    for (uint64_t n = 1; n <= 12; ++n) {
      const bool swapped = random.chance(1, 2);  // each executes what the other applies
      Fixture& from = swapped ? other : one;
      Fixture& to = swapped ? one : other;
      from.begin();
      for (uint64_t i = random.below(30); i > 0; --i) {
        const std::string key(1, static_cast<char>('a' + random.below(12)));
        if (random.chance(1, 2)) {
          from.erase(0, key, random.below(8));
          objects.erase({0, key});
        } else {
          const std::string value(random.below(20), static_cast<char>('A' + random.below(3)));
          from.put(0, key, value, random.below(8));
          objects[{0, key}] = value;
        }
      }
      from.seal();
      model = model.next(objects);
      ASSERT_TRUE(follow(to, from.engine).ok());
      ASSERT_EQ(to.engine.root(), model.root(sha256()));
      ASSERT_EQ(testing::read_version(to.engine, to.engine.last(), sha256()), objects);
      expect_same(from, to);
      EXPECT_EQ(delta_of(to.engine, n), delta_of(from.engine, n));
    }
  }
}

TEST(Delta, IsHeldForAsLongAsHistoryHasTheBatch) {
  Fixture f;
  std::vector<Bytes> deltas(1);
  for (uint64_t n = 1; n <= 2 * limits::kHistoryBatches; ++n) {
    f.begin();
    for (int i = 0; i < 5; ++i) f.put(0, std::to_string((n * n + i) % 17), std::to_string(n));
    f.erase(0, std::to_string(n % 17));
    f.seal();
    deltas.push_back(delta_of(f.engine, n));
    EXPECT_FALSE(f.engine.delta(BatchNumber(n + 1)).ok());
  }
  f.commit(2 * limits::kHistoryBatches - 3);  // the last three stay speculative
  EXPECT_FALSE(f.engine.delta(BatchNumber(0)).ok());
  EXPECT_FALSE(f.engine.delta(f.engine.oldest()).ok());
  for (BatchNumber n = f.engine.oldest().next(); n <= f.engine.last(); n = n.next()) {
    EXPECT_EQ(delta_of(f.engine, n.value()), deltas[n.value()]) << n.value();
  }
  f.rollback(2 * limits::kHistoryBatches - 2);
  EXPECT_FALSE(f.engine.delta(BatchNumber(2 * limits::kHistoryBatches)).ok());
}

TEST(Delta, AppliedBatchesAreRolledBackReadAndAppliedAgain) {
  Golden g;
  Fixture to;
  ASSERT_TRUE(follow(to, g.f.engine).ok());
  const auto before = testing::read_version(to.engine, BatchNumber(1), sha256());
  const uint64_t bytes = to.engine.logical_bytes();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(follow(to, g.f.engine).ok());
    EXPECT_EQ(testing::read_version(to.engine, BatchNumber(1), sha256()), before);
    EXPECT_EQ(to.engine.view(BatchNumber(1)).get(to.engine.table("a"), "b"), "gone soon");
    EXPECT_EQ(to.engine.view(BatchNumber(2)).get(to.engine.table("a"), "b"), std::nullopt);
    to.rollback(1);
    EXPECT_EQ(to.engine.root(), *g.f.engine.root_at(BatchNumber(1)));
    EXPECT_EQ(to.engine.logical_bytes(), bytes);
    EXPECT_EQ(to.get(0, "b"), "gone soon");
    EXPECT_EQ(to.get(1, "n"), std::nullopt);
    to.rollback(0);
    EXPECT_EQ(to.engine.logical_bytes(), 0u);
    ASSERT_TRUE(follow(to, g.f.engine).ok());
  }
}

// ---- Pieces ----

TEST(Delta, ComesInPiecesOfAnySize) {
  Fixture from;
  Fixture whole;
  from.begin();
  for (int i = 0; i < 300; ++i) from.put(0, std::to_string(i), Bytes(static_cast<size_t>(i), 'v'));
  from.put(1, "large", Bytes(70'000, 'l'));
  from.seal();
  const Bytes delta = delta_of(from.engine, 1);
  for (const size_t limit : {1, 2, 7, 1000, 65'536, 1'000'000}) {
    Fixture to;
    DeltaSource source(from.engine, BatchNumber(1));
    DeltaSink sink(to.engine, BatchNumber(1));
    Bytes all;
    while (true) {
      const auto piece = source.next(limit);
      ASSERT_TRUE(piece.ok());
      if (piece->empty()) break;
      ASSERT_LE(piece->size(), limit);
      all += *piece;
      ASSERT_TRUE(sink.supply(*piece).ok());
    }
    EXPECT_EQ(all, delta);
    ASSERT_TRUE(sink.finish(to.scheduler).ok());
    expect_same(from, to);
    EXPECT_FALSE(sink.finish(to.scheduler).ok());
  }
}

TEST(Delta, IsReadWhileLaterBatchesCome) {
  Golden g;
  const Bytes delta = delta_of(g.f.engine, 2);
  DeltaSource source(g.f.engine, BatchNumber(2));
  Bytes all;
  while (true) {
    const auto piece = source.next(3);
    ASSERT_TRUE(piece.ok());
    if (piece->empty()) break;
    all += *piece;
    g.f.begin();
    g.f.put(0, "a", std::to_string(all.size()));
    g.f.erase(1, "n");
    g.f.seal();
  }
  EXPECT_EQ(all, delta);
  DeltaSource late(g.f.engine, BatchNumber(2));
  ASSERT_TRUE(late.next(3).ok());
  g.f.rollback(1);
  EXPECT_FALSE(late.next(3).ok());
}

// ---- What is refused ----

/// Applying `delta` as batch `n` fails and leaves no trace.
void expect_refused(Fixture& f, uint64_t n, ByteView delta) {
  const crypto::Digest root = f.engine.root();
  const Engine::Use use = f.engine.use();
  const uint64_t slots = f.engine.counts().slots;
  const Status status = f.engine.apply(BatchNumber(n), delta, f.scheduler);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message(), "");
  EXPECT_EQ(f.engine.root(), root);
  EXPECT_EQ(f.engine.recompute_root(), root);
  const Engine::Use now = f.engine.use();
  EXPECT_EQ(now.history, use.history);
  EXPECT_EQ(f.engine.counts().slots, slots);
  for (size_t i = 0; i < use.tables.size(); ++i) {
    EXPECT_EQ(now.tables[i].objects, use.tables[i].objects);
    EXPECT_EQ(now.tables[i].logical_bytes, use.tables[i].logical_bytes);
    EXPECT_EQ(now.tables[i].memory_bytes, use.tables[i].memory_bytes);
  }
}

TEST(DeltaRefused, WhateverByteIsWrongOrMissing) {
  const Golden g;
  Fixture to;
  ASSERT_TRUE(follow(to, g.f.engine).ok());
  const Bytes delta = delta_of(g.f.engine, 2);
  Random random(3);
  for (size_t i = 0; i < delta.size(); ++i) {
    expect_refused(to, 2, ByteView(delta).substr(0, i));
    for (int turn = 0; turn < 4; ++turn) {
      Bytes wrong = delta;
      wrong[i] = static_cast<char>(wrong[i] ^ (1 << random.below(8)));
      expect_refused(to, 2, wrong);
    }
  }
  expect_refused(to, 2, delta + Bytes(1, '\0'));
  expect_refused(to, 2, delta + delta);
  ASSERT_TRUE(follow(to, g.f.engine).ok());
  expect_same(g.f, to);
}

TEST(DeltaRefused, OnAnotherStateOrNumber) {
  const Golden g;
  const Bytes first = delta_of(g.f.engine, 1);
  const Bytes second = delta_of(g.f.engine, 2);
  Fixture to;
  expect_refused(to, 2, second);
  expect_refused(to, 1, second);
  expect_refused(to, 2, first);
  ASSERT_TRUE(follow(to, g.f.engine).ok());
  expect_refused(to, 2, first);
  expect_refused(to, 1, first);
  expect_refused(to, 3, second);
  Fixture other;
  other.begin();
  other.put(0, "a", "another");
  other.seal();
  expect_refused(other, 2, second);
}

/// A delta of batch 1 on the empty state with these bytes for entries, and their right root if
/// `leaves` are what they lead to.
Bytes made(ByteView entries, const std::vector<Bytes>& leaves) {
  std::vector<crypto::Digest> digests;
  for (const Bytes& leaf : leaves) {
    digests.push_back(leaf.empty() ? crypto::Digest() : sha256().digest(leaf));
  }
  Bytes delta;
  encode_delta_header(
      {BatchNumber(1), root_of_leaves(sha256(), {}), root_of_leaves(sha256(), std::move(digests))},
      sha256().size(), delta);
  delta.append(entries);
  return delta;
}

Bytes leaf_of(uint16_t table, ByteView key, ByteView value) {
  Bytes leaf;
  encode_leaf({table, key, value}, leaf);
  return leaf;
}

Bytes object_entry(unsigned char gap, const Bytes& leaf) {
  Bytes entry(1, static_cast<char>(gap));
  entry += '\x01';
  entry += static_cast<char>(leaf.size());
  return entry + leaf;
}

TEST(DeltaRefused, ThoughTheRootIsRight) {
  const Bytes x = leaf_of(0, "x", "1");
  const Bytes y = leaf_of(1, "y", "2");
  const Bytes end(1, '\0');
  Fixture f;
  // One key in two slots; a table that does not exist; a free-standing object where none can be.
  expect_refused(f, 1, made(object_entry(1, x) + object_entry(1, x) + end, {x, x}));
  const Bytes none = leaf_of(9, "x", "1");
  expect_refused(f, 1, made(object_entry(1, none) + end, {none}));
  Bytes free_standing;
  encode_leaf({0, {}, "value", {}, true}, free_standing);
  expect_refused(f, 1, made(object_entry(1, free_standing) + end, {free_standing}));
  // A gap in the tree; a number that is longer than it must be; no end.
  expect_refused(f, 1, made(object_entry(2, x) + end, {{}, x}));
  expect_refused(f, 1, made(Bytes("\x81\x00", 2) + object_entry(1, x).substr(1) + end, {x}));
  expect_refused(f, 1, made(object_entry(1, x), {x}));
  // A number beyond all slots, and one beyond 64 bits.
  expect_refused(f, 1, made(Bytes("\xff\xff\xff\xff\xff\xff\x01\x00", 8) + end, {}));
  expect_refused(f, 1, made(Bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00", 11) + end, {}));
  // And this is taken, a free slot at the end of it.
  ASSERT_TRUE(f.engine
                  .apply(BatchNumber(1),
                         made(object_entry(1, x) + object_entry(1, y) + Bytes("\x01\x00", 2) + end,
                              {x, y, {}}),
                         f.scheduler)
                  .ok());
  EXPECT_EQ(f.get(0, "x"), "1");
  EXPECT_EQ(f.get(1, "y"), "2");
  EXPECT_EQ(f.engine.counts().slots, 3u);
}

// The same change in other words is another delta.
TEST(DeltaRefused, WhatIsNotCanonical) {
  const Golden g;
  Fixture to;
  ASSERT_TRUE(follow(to, g.f.engine).ok());
  const Bytes good = delta_of(g.f.engine, 2);
  const size_t entries = 10 + 2 * sha256().size();
  const auto with = [&](ByteView first, ByteView rest) {
    return good.substr(0, entries) + Bytes(first) + Bytes(rest);
  };
  const Bytes rest = good.substr(entries + 6);
  ASSERT_EQ(with(Bytes("\x01\x02\x05\x04\x01x", 6), rest), good);
  expect_refused(to, 2, with(Bytes("\x01\x02\x05\x03\x02x6", 7), rest));
  expect_refused(to, 2, with(Bytes("\x01\x02\x04\x04\x02\x34x", 7), rest));
  expect_refused(to, 2, with(Bytes("\x01\x02\x00\x00\x0a\x30\x31\x32\x33\x34x6789", 15), rest));
  const Bytes whole = leaf_of(0, "a", "01234x6789");
  expect_refused(to, 2, with(object_entry(1, whole), rest));
  // Slot 2, whose value stays, told as well; and references, of which there are none.
  Bytes more = good;
  more.insert(more.size() - 3, Bytes("\x01\x02\x09\x00\x00", 5));
  more[more.size() - 3] = '\x01';
  expect_refused(to, 2, more);
  expect_refused(to, 2, with(Bytes("\x01\x03\x00\x05\x04\x01x", 7), rest));
  ASSERT_TRUE(follow(to, g.f.engine).ok());
}

TEST(DeltaRefused, AValueThatIsTooLarge) {
  Fixture f;
  f.begin();
  f.put(0, "large", Bytes(kMaxValueBytes, 'x'));
  f.seal();
  Bytes delta;
  encode_delta_header({BatchNumber(2), f.engine.root(), f.engine.root()}, sha256().size(), delta);
  delta += Bytes("\x01\x02", 2);
  for (uint64_t front = kMaxValueBytes; front > 0; front >>= 7) {
    delta += static_cast<char>(front >= 0x80 ? front | 0x80 : front);
  }
  expect_refused(f, 2, delta + Bytes("\x00\x01y\x00", 4));
}

// ---- Object graphs ----

using testing::Node;
using GraphWorld = testing::World;

/// What the cell's list of nodes says.
std::string list_of(GraphWorld& w) {
  Context context = testing::on_worker(0);
  std::string list;
  for (auto at = w.root.get(context); at;) {
    const auto node = w.graph.get(context, at);
    if (!node) return list + "?";
    list += node->text + std::to_string(node->id) + ";";
    at = node->next.empty() ? Ref<Node>() : node->next[0];
  }
  return list;
}

void push(GraphWorld& w, uint64_t id) {
  Context context = Context({w.engine.last().value() + 1, 0, 0, 0}, 0, nullptr);
  const auto head = w.root.get(context);
  Node node{id, "n", {}};
  if (head) node.next.push_back(head);
  w.root.set(context, w.graph.create(context, node));
}

TEST(Delta, CarriesReferencesAsSlots) {
  GraphWorld from;
  GraphWorld to;
  for (uint64_t n = 1; n <= 5; ++n) {
    GraphWorld& executes = n % 2 == 0 ? to : from;
    GraphWorld& applies = n % 2 == 0 ? from : to;
    executes.begin();
    for (uint64_t i = 0; i < 3; ++i) push(executes, n * 10 + i);
    executes.seal();
    ASSERT_TRUE(follow(applies, executes.engine).ok());
    expect_same(executes, applies);
    EXPECT_EQ(list_of(applies), list_of(executes));
    EXPECT_EQ(delta_of(applies.engine, n), delta_of(executes.engine, n));
  }
  EXPECT_EQ(list_of(to), "n52;n51;n50;n42;n41;n40;n32;n31;n30;n22;n21;n20;n12;n11;n10;");
}

// References at other offsets than before, more and fewer of them.
TEST(Delta, TellsWhenReferencesMove) {
  GraphWorld from;
  GraphWorld to;
  from.begin();
  for (uint64_t i = 0; i < 3; ++i) push(from, i);
  from.seal();
  for (const size_t size : {1, 9, 30, 2}) {
    from.begin();
    Context context = testing::on_worker(0);
    auto node = *from.graph.get(context, from.root.get(context));
    node.text.assign(size, 't');
    node.next.assign(size % 4 + 1, node.next[0]);
    from.graph.set(context, from.root.get(context), node);
    from.seal();
  }
  while (to.engine.last() < from.engine.last()) ASSERT_TRUE(follow(to, from.engine).ok());
  expect_same(from, to);
  EXPECT_EQ(list_of(to), list_of(from));
  EXPECT_EQ(list_of(to), "tt2;n1;n0;");
}

// The root would be that of nobody; what counts is that they are not followed.
TEST(DeltaRefused, ReferencesOutsideTheirValue) {
  Fixture keyed;
  keyed.begin();
  keyed.put(0, "key", "short");
  keyed.seal();
  const auto refused = [](auto& to, ByteView entries) {
    const crypto::Digest root = to.engine.root();
    Bytes delta;
    encode_delta_header({BatchNumber(2), root, root}, sha256().size(), delta);
    delta.append(entries);
    EXPECT_FALSE(to.engine.apply(BatchNumber(2), delta, to.scheduler).ok());
    EXPECT_EQ(to.engine.recompute_root(), root);
  };
  refused(keyed, Bytes("\x01\x03\x04\x00\x00\x00\x00\x05\x00\x00\x00", 11));
  refused(keyed, Bytes("\x01\x03\x04\x00\x01\x00\x00\x05\x00\x00\x00", 11));
  refused(keyed, Bytes("\x01\x03\x03\x00\x00\x00\x05\x00\x00\x00", 10));
  GraphWorld graph;
  graph.begin();
  push(graph, 1);
  graph.seal();
  refused(graph, Bytes("\x01\x02\x03\x00\x00\x00", 6));  // the cell's eight bytes become three
}

// A whole collection on one replica, told to another: what goes stays readable, comes back with a
// rollback, and whoever executes next collects on where the other stood.
TEST(Delta, FollowsTheCollector) {
  GraphWorld from(testing::digester(crypto::DigestAlgorithm::kXxh3));
  GraphWorld to(testing::digester(crypto::DigestAlgorithm::kXxh3));
  uint64_t collected = 0;
  for (uint64_t n = 1; n <= 60; ++n) {
    GraphWorld& executes = n % 3 == 0 ? to : from;
    GraphWorld& applies = n % 3 == 0 ? from : to;
    executes.begin();
    Context context = testing::on_worker(1);
    if (n % 5 == 0) executes.root.set(context, Ref<Node>());
    for (uint64_t i = 0; i < 60; ++i) push(executes, n * 100 + i);
    const uint64_t before = applies.objects();
    executes.seal();
    ASSERT_TRUE(follow(applies, executes.engine).ok());
    ASSERT_EQ(applies.engine.root(), executes.engine.root());
    ASSERT_EQ(list_of(applies), list_of(executes));
    if (applies.objects() >= before) continue;
    ++collected;
    for (uint64_t back : {n - 1, n - 2}) {
      for (uint64_t slot = 0; slot < applies.engine.counts().slots; ++slot) {
        ASSERT_EQ(applies.engine.node(BatchNumber(back), {0, slot}),
                  executes.engine.node(BatchNumber(back), {0, slot}));
      }
    }
    ASSERT_EQ(delta_of(applies.engine, n), delta_of(executes.engine, n));
    const Bytes earlier = delta_of(applies.engine, n - 1);
    ASSERT_EQ(earlier, delta_of(executes.engine, n - 1));
    applies.rollback(n - 2);
    ASSERT_EQ(applies.engine.recompute_root(), *executes.engine.root_at(BatchNumber(n - 2)));
    while (applies.engine.last() < executes.engine.last()) {
      ASSERT_TRUE(follow(applies, executes.engine).ok());
    }
    expect_same(executes, applies);
  }
  EXPECT_GT(collected, 2u);
}

}  // namespace
}  // namespace eve::state
