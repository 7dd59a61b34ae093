// Replicas of which one executes, on threads whose requests race, and the others apply what it says
// has changed. Each batch another one executes: all that decides what comes later (places of new
// objects, the collector, the order of keys) must be as if all had executed.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "eve/graph.h"
#include "state/delta.h"
#include "state/export.h"
#include "state/gc.h"
#include "state/import.h"
#include "state/property_support.h"

namespace eve::state {
namespace {

using testing::Keys;
using testing::on_worker;
using testing::Plain;
using testing::require;
using testing::ThreadScheduler;

const crypto::Digester& xxh() {
  return testing::digester(crypto::DigestAlgorithm::kXxh3);
}

Bytes delta_of(const Engine& engine, BatchNumber n) {
  auto delta = engine.delta(n);
  require(delta.ok(), "a delta is held");
  return *std::move(delta);
}

/// In pieces cut anywhere, or whole.
void apply(Engine& engine, const Bytes& delta, Random& random, Scheduler& scheduler) {
  const BatchNumber n = engine.last().next();
  if (random.chance(1, 2)) {
    require(engine.apply(n, delta, scheduler).ok(), "apply");
    return;
  }
  DeltaSink sink(engine, n);
  for (size_t at = 0; at < delta.size();) {
    const size_t size = 1 + random.below(random.chance(1, 2) ? 40 : 4000);
    require(sink.supply(ByteView(delta).substr(at, size)).ok(), "supply");
    at += size;
  }
  require(sink.finish(scheduler).ok(), "finish");
}

// ---- Against the plain model ----

uint64_t follow_model(uint64_t seed, uint64_t operations) {
  testing::World executes(xxh());
  testing::World applies(xxh());
  InlineScheduler scheduler;
  Random random(seed);
  std::vector<Plain> versions(1);
  const Keys& keys = Keys::all();
  for (uint64_t done = 0; done < operations;) {
    Plain plain = versions.back();
    executes.engine.begin(executes.engine.last().next());
    for (uint64_t i = random.below(60); i > 0; --i, ++done) {
      const size_t id = random.below(keys.size());
      const auto container = keys.at(id).container;
      if (container == testing::kPages) continue;  // the pages' count is for the other test
      Context context = on_worker(random.below(8));
      const bool erases = container != testing::kCell && random.chance(1, 2);
      plain.held[id] = erases ? 0 : testing::some_value(random);
      if (erases) {
        testing::erase(executes, context, id);
      } else {
        testing::put(executes, context, id, plain.held[id]);
      }
    }
    executes.engine.seal(scheduler);
    plain.place();
    versions.push_back(plain);
    apply(applies.engine, delta_of(executes.engine, executes.engine.last()), random, scheduler);
    ++done;
    if (random.chance(1, 4)) {
      const uint64_t committed = applies.engine.committed().value();
      const uint64_t to = committed + random.below(applies.engine.last().value() - committed + 1);
      executes.engine.rollback(BatchNumber(to), scheduler);
      applies.engine.rollback(BatchNumber(to), scheduler);
      versions.resize(to + 1);
      if (random.chance(1, 2)) {
        executes.engine.commit(BatchNumber(to));
        applies.engine.commit(BatchNumber(to));
      }
    }
    const Plain& now = versions.back();
    require(applies.engine.root() == now.root(xxh()), "the model's root");
    require(executes.engine.root() == applies.engine.root(), "one root");
    Context context = on_worker(0);
    for (int i = 0; i < 20; ++i) {
      const size_t id = random.below(keys.size());
      testing::check_get(applies, context, id, now.held[id]);
    }
    require(applies.ordered.size(context) == now.count(testing::kOrdered), "size");
    const auto first = applies.ordered.lower_bound(context, "");
    const auto id = now.first_in(keys.first(testing::kOrdered), keys.end(testing::kOrdered));
    require(first.has_value() == id.has_value(), "the first key");
    require(!id || first->key == keys.at(*id).bytes, "the first key");
  }
  return operations;
}

TEST(DeltaProperty, AReplicaThatAppliesIsLikeTheModel) {
  testing::check_walks("deltas of batches and the model", 60'000, follow_model);
}

// ---- All containers, races, collections, transfers ----

struct Item {
  std::string note;
  Ref<Item> next;
  template <typename A>
  void fields(A& archive) {
    archive(note, next);
  }
};

class Replica {
 public:
  Replica() : engine(xxh(), kWorkers) {}

  /// Requests that race on everything.
  void execute(uint64_t seed, uint32_t requests, size_t threads) {
    engine.begin(engine.last().next());
    ThreadScheduler scheduler(threads);
    scheduler.run(requests, 1000, [&](size_t worker, size_t index) {
      const auto number = static_cast<uint32_t>(index);
      Context context({engine.last().value() + 1, number, 0, 0}, worker, nullptr);
      Random random(seed + index);
      for (int i = 0; i < kEach; ++i) operate(context, random);
    });
    engine.seal(scheduler);
  }

  /// A batch of nodes that nobody will know: enough for a collection to be due soon.
  void litter() {
    engine.begin(engine.last().next());
    Context context({engine.last().value() + 1, 0, 0, 0}, 0, nullptr);
    for (uint64_t i = 0; i < Collector::kSlack; ++i) graph_.create(context, Item{"litter", {}});
    InlineScheduler scheduler;
    engine.seal(scheduler);
  }

  /// All that the containers say, references followed.
  std::string answers() {
    Context context = on_worker(0);
    std::string out = std::to_string(cell_.get(context));
    const auto note = [&](const ByteMap::Entry& entry) {
      out.append(entry.key).append("=").append(entry.value).append(";");
      return true;
    };
    map_.scan(context, 0, note);
    ordered_.range(context, std::nullopt, std::nullopt, note);
    ordered_.range_down(context, std::nullopt, std::nullopt, note);
    out += std::to_string(map_.size(context)) + "," + std::to_string(ordered_.size(context));
    for (uint64_t i = 0; i < pages_.count(context); ++i) out += pages_.read(context, i);
    for (int i = 0; i < kHeads; ++i) {
      auto at = heads_.get(context, std::to_string(i)).value_or(Ref<Item>());
      for (int steps = 0; steps < 50 && at; ++steps) {
        const auto item = graph_.get(context, at);
        out += item ? item->note + ">" : "?";
        at = item ? item->next : Ref<Item>();
      }
    }
    return out + std::to_string(graph_.size(context));
  }

  void fetch_from(const Replica& source) {
    InlineScheduler scheduler;
    Fetch fetch(engine, source.engine.root());
    while (!fetch.complete()) {
      for (const TreeNode id : fetch.wants(64)) {
        require(fetch.supply(id, *source.engine.node(source.engine.last(), id)), "fetch");
      }
    }
    require(fetch.install(source.engine.last(), scheduler).ok(), "install");
  }
  void import_from(Replica& source) {
    InlineScheduler scheduler;
    Exporter exporter(source.engine, source.engine.last(), 5000);
    Importer importer(engine, source.engine.root());
    while (const auto chunk = exporter.next()) {
      require(importer.supply(chunk->bytes).ok(), "import");
    }
    require(importer.finish(source.engine.last(), scheduler).ok(), "import");
  }
  uint64_t nodes() {
    Context context = on_worker(0);
    return graph_.size(context);
  }

  Engine engine;
  static constexpr int kEach = 25;

 private:
  static constexpr size_t kWorkers = 4;
  static constexpr int kHeads = 5;
  static constexpr size_t kPageSize = 512;

  static std::string key(Random& random) { return "k" + std::to_string(random.below(40)); }

  void operate(Context& context, Random& random) {
    const std::string at = key(random);
    const std::string value(random.below(30), static_cast<char>('a' + random.below(3)));
    switch (random.below(12)) {
      case 0:
        return map_.put(context, at, value);
      case 1:
        map_.erase(context, at);
        return;
      case 2:
      case 3:
        return ordered_.put(context, at, value);
      case 4:
      case 5:
        ordered_.erase(context, at);
        return;
      case 6:
        return cell_.set(context, cell_.get(context) + 1);
      case 7:
        if (random.chance(1, 9)) return pages_.resize(context, random.below(6));
        return pages_.patch(context, random.below(6), random.below(400), value);
      default:
        return change_graph(context, random, value);
    }
  }
  void change_graph(Context& context, Random& random, const std::string& value) {
    const std::string head = std::to_string(random.below(kHeads));
    const auto at = heads_.get(context, head).value_or(Ref<Item>());
    if (random.chance(1, 12)) {
      heads_.erase(context, head);
    } else if (random.chance(1, 4) && at) {
      graph_.set(context, at, Item{value, heads_.get(context, "0").value_or(Ref<Item>())});
    } else {
      heads_.put(context, head, graph_.create(context, Item{value, at}));
    }
  }

  State state_{engine};
  Cell<uint64_t> cell_{state_, "cell"};
  ByteMap map_{state_, "map"};
  OrderedByteMap ordered_{state_, "ordered"};
  Pages pages_{state_, "pages", kPageSize};
  Map<std::string, Ref<Item>> heads_{state_, "heads"};
  Graph graph_{state_};
};

class Crowd {
 public:
  explicit Crowd(uint64_t seed) : random_(seed) {
    for (auto& replica : replicas_) replica = std::make_unique<Replica>();
    if (!random_.chance(1, 4)) return;
    replicas_[0]->litter();
    const Bytes delta = delta_of(replicas_[0]->engine, BatchNumber(1));
    apply(replicas_[1]->engine, delta, random_, scheduler_);
    apply(replicas_[2]->engine, delta, random_, scheduler_);
  }

  /// Returns how many operations it took.
  uint64_t step() {
    const size_t who = random_.below(replicas_.size());
    const auto requests = static_cast<uint32_t>(random_.below(6) == 0 ? 120 : random_.below(16));
    Replica& executes = *replicas_[who];
    const uint64_t nodes = executes.nodes();
    executes.execute(random_.next(), requests, 1 + random_.below(4));
    collected_ += executes.nodes() < nodes ? 1 : 0;
    const Bytes delta = delta_of(executes.engine, executes.engine.last());
    for (auto& replica : replicas_) {
      if (replica.get() != &executes) follow(*replica, executes, delta);
    }
    go_back_or_on();
    if (random_.chance(1, 12)) transfer();
    return requests * Replica::kEach + 1;
  }
  uint64_t collected() const { return collected_; }

 private:
  void follow(Replica& applies, Replica& executes, const Bytes& delta) {
    ThreadScheduler scheduler(1 + random_.below(3));
    const crypto::Digest before = applies.engine.root();
    apply(applies.engine, delta, random_, scheduler);
    if (random_.chance(1, 4)) {
      applies.engine.rollback(applies.engine.last().prev(), scheduler);
      require(applies.engine.root() == before, "the root before");
      apply(applies.engine, delta, random_, scheduler);
    }
    const BatchNumber n = applies.engine.last();
    require(applies.engine.root() == executes.engine.root(), "root");
    require(delta_of(applies.engine, n) == delta, "one delta");
    require(applies.engine.logical_bytes() == executes.engine.logical_bytes(), "logical bytes");
    require(applies.engine.counts().objects == executes.engine.counts().objects, "objects");
    require(applies.engine.use().total() == applies.engine.counts().bytes, "memory");
    if (!random_.chance(1, 4)) return;
    require(applies.engine.recompute_root() == applies.engine.root(), "from scratch");
    require(applies.answers() == executes.answers(), "what containers say");
    if (n.prev() < executes.engine.oldest() || n.prev() < applies.engine.oldest()) return;
    for (uint64_t slot = random_.below(8); slot < *executes.engine.view(n.prev()).slots();
         slot += 7) {
      require(applies.engine.node(n.prev(), {0, slot}) == executes.engine.node(n.prev(), {0, slot}),
              "a leaf as of the batch before");
    }
  }
  void go_back_or_on() {
    InlineScheduler scheduler;
    const uint64_t what = random_.below(8);
    if (what > 2) return;
    uint64_t committed = 0;
    for (auto& replica : replicas_) {
      committed = std::max(committed, replica->engine.committed().value());
    }
    const uint64_t last = replicas_[0]->engine.last().value();
    const BatchNumber n(committed + random_.below(last - committed + 1));
    for (auto& replica : replicas_) {
      if (what == 0) replica->engine.rollback(n, scheduler);
      if (what > 0 && random_.chance(3, 4)) replica->engine.commit(n);
    }
  }
  /// One of them gets another's state as a whole, by one way or the other.
  void transfer() {
    const size_t who = random_.below(replicas_.size());
    Replica& source = *replicas_[(who + 1) % replicas_.size()];
    if (random_.chance(1, 2)) {
      replicas_[who]->fetch_from(source);
    } else {
      replicas_[who] = std::make_unique<Replica>();
      replicas_[who]->import_from(source);
    }
    require(replicas_[who]->answers() == source.answers(), "after a transfer");
  }

  Random random_;
  InlineScheduler scheduler_;
  std::array<std::unique_ptr<Replica>, 3> replicas_;
  uint64_t collected_ = 0;
};

TEST(DeltaProperty, WhoeverExecutesAllGoOnAlike) {
  uint64_t collected = 0;
  testing::check_walks("deltas of races", 70'000, [&](uint64_t seed, uint64_t operations) {
    Crowd crowd(seed);
    uint64_t done = 0;
    while (done < operations) done += crowd.step();
    collected += crowd.collected();
    return done;
  });
  EXPECT_GT(collected, 2u);
}

}  // namespace
}  // namespace eve::state
