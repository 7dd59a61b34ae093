// Where parts of the engine meet: what a cold review found there, and how it is now.
#include <gtest/gtest.h>

#include <map>
#include <new>
#include <stdexcept>

#include "eve/pages.h"
#include "state/chunk_format.h"
#include "state/export.h"
#include "state/graph_test_support.h"
#include "state/import.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;

struct Linked {
  Ref<Linked> next;
  template <typename A>
  void fields(A& archive) {
    archive(next);
  }
};
struct Nothing {
  template <typename A>
  void fields(A& /*archive*/) {}
};

/// A state that may refer, of a service without a Graph.
struct WithoutGraph : Fixture {
  Map<std::string, Linked> links{state, "links"};
};

TEST(Seams, ReferencesNeedNoGraphToBeImportedOrFetched) {
  WithoutGraph source;
  source.begin();
  Context context = testing::on_worker(0);
  source.links.put(context, "k", Linked());
  source.seal();
  source.commit(1);

  WithoutGraph imported;
  Exporter exporter(source.engine, BatchNumber(1));
  Importer importer(imported.engine, source.engine.root());
  while (const auto chunk = exporter.next()) ASSERT_TRUE(importer.supply(chunk->bytes).ok());
  EXPECT_TRUE(importer.finish(BatchNumber(1), imported.scheduler).ok());
  EXPECT_TRUE(imported.links.get(context, "k"));

  WithoutGraph fetched;
  Fetch fetch(fetched.engine, source.engine.root());
  while (!fetch.complete()) {
    for (const TreeNode id : fetch.wants(8)) {
      ASSERT_TRUE(fetch.supply(id, *source.engine.node(BatchNumber(1), id)));
    }
  }
  EXPECT_TRUE(fetch.install(BatchNumber(1), fetched.scheduler).ok());
  EXPECT_EQ(fetched.engine.root(), imported.engine.root());
}

TEST(Seams, AChangeThatThrowsLeavesNothingBehind) {
  Fixture f;
  Pages pages(f.state, "pages", 512);
  Table& table = f.engine.table("pages", TableKind::kPages);
  f.begin();
  for (int i = 0; i < 300; ++i) table.put(0, std::to_string(i), "v");
  f.seal();
  const uint64_t bytes = f.engine.use().tables[table.number()].memory_bytes;
  f.begin();
  for (int i = 0; i < 2000; ++i) {
    const auto fail = [](std::optional<ByteView>) -> Bytes { throw std::bad_alloc(); };
    EXPECT_THROW(table.update(0, "new " + std::to_string(i), fail), std::bad_alloc);
  }
  f.seal();
  EXPECT_EQ(f.engine.counts().objects, 300u);
  // More buckets; the objects, had they stayed, would be 100,000 bytes and more.
  EXPECT_LT(f.engine.use().tables[table.number()].memory_bytes, bytes + 50'000);
  f.rollback(0);
  EXPECT_EQ(f.engine.counts().objects, 0u);
}

// Another worker's write and erase in between must not make for two first entries of one object.
TEST(Seams, AChangeOfWhatCameAndWentMeanwhileIsNotedOnce) {
  Fixture f;
  Pages pages(f.state, "pages", 512);
  Table& table = f.engine.table("pages", TableKind::kPages);
  f.begin();
  int calls = 0;
  table.update(0, "k", [&](std::optional<ByteView> found) {
    if (calls++ == 0) {
      table.put(1, "k", "other");
      table.erase(1, "k");
    }
    return found ? Bytes("found") : Bytes("absent");
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(table.get("k"), "absent");
  f.seal();
  EXPECT_EQ(f.engine.counts().objects, 1u);
  EXPECT_EQ(f.engine.root(), f.engine.recompute_root());
  f.rollback(0);
  EXPECT_EQ(f.engine.counts().objects, 0u);
}

TEST(Seams, ElementsWithoutBytesAreRefused) {
  Fixture f;
  Map<std::string, std::vector<Nothing>> map(f.state, "nothings");
  f.begin();
  Context context = testing::on_worker(0);
  EXPECT_THROW(map.put(context, "k", std::vector<Nothing>(2)), std::invalid_argument);
  map.put(context, "k", {});
  EXPECT_TRUE(map.get(context, "k"));
}

// Two roots over the same top node, of which at most one can be honest: the fetch must not look for
// children that the node does not have.
TEST(Seams, AFetchSurvivesARootThatNoTreeHas) {
  Fixture f;
  const Bytes zero(sha256().size(), '\0');
  Bytes sixteen;
  for (uint64_t i = 0; i < kFanout; ++i) sixteen += zero;
  Bytes full;
  Bytes single;
  encode_inner(sixteen, full);
  encode_inner(zero, single);
  Bytes top;
  encode_inner(Bytes(sha256().digest(full).view()) + Bytes(sha256().digest(single).view()), top);
  const Bytes root17 = encode_root({17, sha256().digest(top)}, sha256().size());
  const Bytes root18 = encode_root({18, sha256().digest(top)}, sha256().size());
  Fetch fetch(f.engine, sha256().digest(root17));
  const TreeNode root{TreeNode::kRootLevel, 0};
  fetch.wants(9);
  ASSERT_TRUE(fetch.supply(root, root17));
  fetch.wants(9);
  ASSERT_TRUE(fetch.supply({2, 0}, top));
  fetch.wants(9);
  ASSERT_TRUE(fetch.supply({1, 0}, full));
  ASSERT_TRUE(fetch.supply({1, 1}, single));
  fetch.retarget(sha256().digest(root18));
  fetch.wants(9);
  EXPECT_TRUE(fetch.supply(root, root18));
  EXPECT_FALSE(fetch.complete());
}

}  // namespace
}  // namespace eve::state
