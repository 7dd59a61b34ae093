// All containers in one state, and all the ways in which a replica comes to a state: by executing
// with other workers, by going back and executing again, by fetching and by importing. Whatever the
// way, replicas agree for ever after: on roots, on what they count, on when garbage goes.
#include <gtest/gtest.h>

#include "eve/ordered.h"
#include "eve/pages.h"
#include "state/export.h"
#include "state/graph_test_support.h"
#include "state/import.h"

namespace eve::state {
namespace {

using testing::Node;

struct Item {
  std::string note;
  Ref<Node> node;
  template <typename A>
  void fields(A& archive) {
    archive(note, node);
  }
};

constexpr size_t kPageSize = 512;

class Replica {
 public:
  /// `shift`: which workers do what.
  Replica(const crypto::Digester& used, size_t shift)
      : engine(used, kWorkers), shift_(shift), scheduler_(1 + shift % 3) {}

  /// The batch after the last one; what it does follows from its number and the state alone.
  void execute() {
    const BatchNumber n = engine.last().next();
    Random random(n.value());
    engine.begin(n);
    const uint32_t requests = random.below(6) == 0 ? 700 : 60;
    for (uint32_t i = 0; i < requests; ++i) {
      Context context({n.value(), i, 0, 0}, (i * 7 + shift_) % kWorkers, nullptr);
      request(context, random);
    }
    engine.seal(scheduler_);
  }
  void execute_to(BatchNumber n) {
    while (engine.last() < n) execute();
  }
  void roll_back(BatchNumber n) { engine.rollback(n, scheduler_); }

  bool fetch_from(const Replica& source) {
    Fetch fetch(engine, source.engine.root());
    while (!fetch.complete()) {
      for (const TreeNode id : fetch.wants(64)) {
        if (!fetch.supply(id, *source.engine.node(source.engine.last(), id))) return false;
      }
    }
    return fetch.install(source.engine.last(), scheduler_).ok();
  }
  bool import_from(Replica& source) {
    const BatchNumber n = source.engine.last();
    Exporter exporter(source.engine, n, 2000);
    Importer importer(engine, source.engine.root());
    std::vector<Bytes> chunks;
    while (auto chunk = exporter.next()) chunks.push_back(std::move(chunk->bytes));
    for (size_t i = chunks.size(); i-- > 0;) {
      if (!importer.supply(chunks[i]).ok()) return false;
    }
    return importer.finish(n, scheduler_).ok();
  }

  Engine engine;

 private:
  static constexpr size_t kWorkers = 5;

  static std::string key(Random& random) { return "key " + std::to_string(random.below(90)); }

  void request(Context& context, Random& random) {
    const std::string at = key(random);
    const std::string other = key(random);
    switch (random.below(8)) {
      case 0:
        map_.put(context, at, other + std::string(random.below(60), '.'));
        break;
      case 1:
        map_.erase(context, at);
        break;
      case 2:
        pages_.patch(context, random.below(9), random.below(kPageSize - 100), at);
        break;
      case 3:
        items_.erase(context, at);
        break;
      case 4:
        link(context, at, other);
        break;
      default:
        items_.put(context, at, {other, graph_.create(context, Node{random.below(9), at, {}})});
    }
  }

  /// Items of two keys refer to each other: circles, some of which nobody else refers to later.
  void link(Context& context, const std::string& at, const std::string& other) {
    const auto from = items_.lower_bound(context, at);
    const auto to = items_.before(context, other);
    if (!from || !to || !from->second.node || !to->second.node) return;
    auto node = graph_.get(context, from->second.node);
    ASSERT_TRUE(node) << "what is reachable is there";
    node->next.push_back(to->second.node);
    if (node->next.size() > 3) node->next.erase(node->next.begin());
    ASSERT_TRUE(graph_.set(context, from->second.node, *node));
    auto back = graph_.get(context, to->second.node);
    back->next = {from->second.node};
    ASSERT_TRUE(graph_.set(context, to->second.node, *back));
  }

 public:
  uint64_t nodes() {
    Context context = testing::on_worker(0);
    return graph_.size(context);
  }

 private:
  State state_{engine};
  Map<std::string, std::string> map_{state_, "map"};
  OrderedMap<std::string, Item> items_{state_, "items"};
  Pages pages_{state_, "pages", kPageSize};
  Graph graph_{state_};
  const size_t shift_;
  testing::ThreadScheduler scheduler_;
};

void expect_same(const Replica& a, const Replica& b, const char* how) {
  ASSERT_EQ(a.engine.last(), b.engine.last()) << how;
  ASSERT_EQ(a.engine.root(), b.engine.root()) << how << ", batch " << a.engine.last().value();
  ASSERT_EQ(a.engine.logical_bytes(), b.engine.logical_bytes()) << how;
  ASSERT_EQ(a.engine.counts().objects, b.engine.counts().objects) << how;
  ASSERT_EQ(b.engine.use().total(), b.engine.counts().bytes) << how;
}

class Whole : public ::testing::TestWithParam<crypto::DigestAlgorithm> {};

TEST_P(Whole, HoweverAReplicaComesToAStateItGoesOnAsTheOthersDo) {
  const crypto::Digester& used = testing::digester(GetParam());
  Random random(5);
  Replica executed(used, 0);
  Replica elsewhere(used, 3);
  Replica undecided(used, 1);
  std::unique_ptr<Replica> fetched = std::make_unique<Replica>(used, 2);
  std::unique_ptr<Replica> imported;
  uint64_t most_nodes = 0;
  uint64_t fewest_since = ~uint64_t{0};
  for (uint64_t n = 1; n <= 90 && !HasFatalFailure(); ++n) {
    executed.execute();
    elsewhere.execute();
    const uint64_t back = undecided.engine.committed().value();
    undecided.execute();
    if (random.chance(1, 2)) {
      undecided.roll_back(BatchNumber(back + random.below(n - back + 1)));
      undecided.execute_to(BatchNumber(n));
    }
    if (random.chance(1, 3)) fetched = std::make_unique<Replica>(used, 2 + n % 3);
    if (random.chance(1, 2)) {
      ASSERT_TRUE(fetched->fetch_from(executed));
    } else {
      fetched->execute_to(BatchNumber(n));
    }
    if (n % 13 == 7) {
      imported = std::make_unique<Replica>(used, n % 5);
      ASSERT_TRUE(imported->import_from(executed));
    } else if (imported) {
      imported->execute();
    }
    expect_same(executed, elsewhere, "on other workers");
    expect_same(executed, undecided, "rolled back and executed again");
    expect_same(executed, *fetched, "fetched");
    if (imported) expect_same(executed, *imported, "imported");
    if (n % 4 == 0) {
      for (Replica* replica : {&executed, &elsewhere, &undecided}) {
        replica->engine.commit(BatchNumber(n - n % 3));
      }
    }
    const uint64_t nodes = executed.nodes();
    if (nodes > most_nodes) {
      most_nodes = nodes;
      fewest_since = nodes;
    }
    fewest_since = std::min(fewest_since, nodes);
  }
  EXPECT_EQ(executed.engine.root(), executed.engine.recompute_root());
  EXPECT_EQ(imported->engine.root(), imported->engine.recompute_root());
  EXPECT_LT(fewest_since, most_nodes / 2) << "nothing was ever collected";
}

INSTANTIATE_TEST_SUITE_P(Digests, Whole,
                         ::testing::Values(crypto::DigestAlgorithm::kSha256,
                                           crypto::DigestAlgorithm::kXxh3));

}  // namespace
}  // namespace eve::state
