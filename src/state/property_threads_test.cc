// Batches of random operations on several threads: the same result where requests do not conflict,
// no harm where they do.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <thread>

#include "state/property_support.h"

namespace eve::state {
namespace {

using testing::digester;
using testing::Keys;
using testing::on_worker;
using testing::PageFill;
using testing::require;
using testing::ThreadScheduler;
using testing::World;

// ---- The same batches on several threads ----

/// Lets another thread on now and then.
class Yields final : public AccessHook {
 public:
  explicit Yields(uint64_t seed) : random_(seed) {}
  void on_access() override {
    if (random_.chance(1, 64)) std::this_thread::yield();
  }

 private:
  Random random_;
};

/// A request that touches only what is its own: keys that begin with its number, a stretch of
/// pages, and, for the first one, the cell and the number of pages.
class OwnRequest {
 public:
  static constexpr uint64_t kOperations = 60;

  OwnRequest(World& world, uint32_t number, uint64_t seed, Context& context)
      : world_(world), number_(number), random_(seed), context_(context) {}

  /// A number that binds all that the request has read.
  uint64_t run() {
    for (uint64_t i = 0; i < kOperations; ++i) operation();
    return seen_;
  }

 private:
  void saw(uint64_t value) { seen_ = Random(seen_ ^ value).next(); }
  void saw(const std::optional<ByteView>& bytes) {
    saw(bytes ? digester(crypto::DigestAlgorithm::kXxh3).keyed_hash(*bytes) : 1);
  }
  bool saw(const ByteMap::Entry& entry) {
    saw(std::optional(entry.key));
    saw(std::optional(entry.value));
    return !random_.chance(1, 8);
  }
  Bytes key() const { return Bytes(1, static_cast<char>(number_)) + std::to_string(choice_); }

  void operation() {
    choice_ = random_.below(14);
    const Bytes value(random_.below(40), static_cast<char>(random_.next()));
    switch (random_.below(number_ == 0 ? 14 : 12)) {
      case 0:
        return saw(world_.bytes.erase(context_, key()) ? 1 : 0);
      case 1:
        return world_.bytes.put(context_, key(), value);
      case 2:
        return saw(world_.bytes.get(context_, key()));
      case 3:
      case 4:
        return world_.ordered.put(context_, key(), value);
      case 5:
        return saw(world_.ordered.erase(context_, key()) ? 1 : 0);
      case 6:
        return world_.ordered.prefix(context_, key().substr(0, 1),
                                     [&](const ByteMap::Entry& entry) { return saw(entry); });
      case 7:
        return world_.ordered.range_down(context_, key().substr(0, 1), key(),
                                         [&](const ByteMap::Entry& entry) { return saw(entry); });
      case 8:
        return world_.pages.patch(context_, page(), choice_ * 8, value.substr(0, 8));
      case 9:
        return saw(std::optional(world_.pages.read(context_, page())));
      case 10:
        return world_.pairs.put(context_, pair(), random_.next());
      case 11:
        saw(world_.pairs.erase(context_, pair()) ? 1 : 0);
        return saw(world_.numbers.get(context_, number_) ? 1 : 0);
      case 12:
        return world_.pages.resize(context_, world_.pages.count(context_) + choice_);
      default:
        return world_.cell.set(context_, world_.cell.get(context_) + choice_);
    }
  }
  uint64_t page() const { return number_ * 4 + choice_ % 4; }
  World::Pair pair() const { return {std::to_string(number_), static_cast<int32_t>(choice_)}; }

  World& world_;
  const uint32_t number_;
  Random random_;
  Context& context_;
  uint64_t choice_ = 0;
  uint64_t seen_ = 0;
};

/// What batches of requests without conflicts lead to.
struct Outcome {
  bool operator==(const Outcome&) const = default;
  std::vector<crypto::Digest> roots;
  std::vector<uint64_t> seen;
};

Outcome run_batches(uint64_t seed, uint64_t batches, size_t threads) {
  constexpr uint32_t kRequests = 48;
  const auto world = std::make_unique<World>(digester(crypto::DigestAlgorithm::kXxh3));
  Engine& engine = world->engine;
  ThreadScheduler scheduler(threads);
  Random random(seed);              // the same for any number of threads
  Random schedule(seed + threads);  // another one for each
  Outcome outcome;
  for (uint64_t i = 0; i < batches; ++i) {
    const uint64_t batch_seed = random.next();
    std::vector<uint32_t> order(kRequests);
    for (uint32_t k = 0; k < kRequests; ++k) {
      const uint64_t other = schedule.below(k + 1);
      order[k] = order[other];
      order[other] = k;
    }
    const uint64_t yields = schedule.next();
    std::vector<uint64_t> seen(kRequests);
    engine.begin(engine.last().next());
    scheduler.run(kRequests, 1000, [&](size_t worker, size_t index) {
      Yields hook(yields + index);
      Context context({}, worker, &hook);
      const uint32_t number = order[index];
      seen[number] = OwnRequest(*world, number, batch_seed + number, context).run();
    });
    outcome.roots.push_back(engine.seal(scheduler));
    outcome.seen.insert(outcome.seen.end(), seen.begin(), seen.end());
    if (random.chance(1, 4)) {
      const uint64_t oldest = engine.oldest().value();
      engine.rollback(BatchNumber(oldest + random.below(engine.last().value() - oldest + 1)),
                      scheduler);
      outcome.roots.push_back(engine.root());
      require(engine.recompute_root() == engine.root(), "root after a rollback");
    }
  }
  return outcome;
}

TEST(Containers, GiveTheSameRootsOnAnyNumberOfThreads) {
  constexpr uint64_t kBatch = 48 * OwnRequest::kOperations;
  testing::check_walks("batches on 1, 2 and 8 threads", 3 * testing::kAgreeOperations,
                       [](uint64_t seed, uint64_t operations) {
                         const uint64_t batches = operations / (3 * kBatch) + 1;
                         const Outcome alone = run_batches(seed, batches, 1);
                         require(run_batches(seed, batches, 2) == alone, "two threads");
                         require(run_batches(seed, batches, 8) == alone, "eight threads");
                         return 3 * batches * kBatch;
                       });
}

// ---- Races ----

/// Any operation on keys that everybody is using.
void race(World& world, Context& context, Random& random) {
  const Keys& keys = Keys::all();
  const size_t id = random.below(keys.size());
  const Keys::Key& key = keys.at(id);
  if (key.container == testing::kPages && key.bytes.empty()) {
    return world.pages.resize(context, random.below(4));
  }
  const bool keyed = key.container != testing::kCell && key.container != testing::kPages;
  if (keyed && random.chance(1, 3)) {
    testing::erase(world, context, id);
  } else if (key.container == testing::kOrdered && random.chance(1, 3)) {
    const auto above = world.ordered.lower_bound(context, key.bytes);
    if (above && above->key < key.bytes) throw std::runtime_error("a bound below the key");
    const auto below = world.ordered.before(context, key.bytes);
    if (below && below->key >= key.bytes) throw std::runtime_error("a key before itself");
  } else if (key.container == testing::kPages && random.chance(1, 2)) {
    world.pages.patch(context, testing::page_index(id), random.below(500), "patched");
  } else {
    const uint32_t held = testing::some_value(random);
    testing::put(world, context, id,
                 key.container == testing::kPages ? PageFill::whole(held & 127) : held);
  }
}

/// Whether gets, walks and sizes tell one story, now that nobody writes.
void check_agreement(World& world) {
  Context context = on_worker(0);
  std::vector<Bytes> by_get;
  const Keys& keys = Keys::all();
  for (size_t id = keys.first(testing::kOrdered); id < keys.end(testing::kOrdered); ++id) {
    if (world.ordered.get(context, keys.at(id).bytes)) by_get.push_back(keys.at(id).bytes);
  }
  std::vector<Bytes> up;
  world.ordered.range(context, std::nullopt, std::nullopt, [&](const ByteMap::Entry& entry) {
    up.emplace_back(entry.key);
    return true;
  });
  std::vector<Bytes> down;
  world.ordered.range_down(context, std::nullopt, std::nullopt, [&](const ByteMap::Entry& entry) {
    down.emplace_back(entry.key);
    return true;
  });
  std::reverse(down.begin(), down.end());
  require(up == by_get && down == by_get, "walks and gets differ");
  require(world.ordered.size(context) == by_get.size(), "size and gets differ");
}

uint64_t race_on_all(uint64_t seed, uint64_t operations) {
  constexpr uint64_t kRequests = 64;
  constexpr uint64_t kEach = 40;
  World world(digester(crypto::DigestAlgorithm::kXxh3));
  ThreadScheduler scheduler(8);
  Random random(seed);
  uint64_t done = 0;
  for (; done < operations; done += kRequests * kEach) {
    world.engine.begin(world.engine.last().next());
    const uint64_t batch_seed = random.next();
    std::mutex mutex;
    std::string failure;
    scheduler.run(kRequests, 1000, [&](size_t worker, size_t index) {
      Random own(batch_seed + index);
      Yields hook(batch_seed - index);
      Context context({}, worker, &hook);
      try {
        for (uint64_t i = 0; i < kEach; ++i) race(world, context, own);
      } catch (const std::exception& error) {
        const std::lock_guard held(mutex);
        failure = error.what();
      }
    });
    require(failure.empty(), failure.c_str());
    check_agreement(world);
    if (random.chance(3, 4)) {
      world.engine.seal(scheduler);
      check_agreement(world);
    }
    if (random.chance(1, 3)) {
      const uint64_t oldest = world.engine.oldest().value();
      const uint64_t span = world.engine.last().value() - oldest + 1;
      world.engine.rollback(BatchNumber(oldest + random.below(span)), scheduler);
      check_agreement(world);
    } else {
      world.engine.rollback(world.engine.last(), scheduler);
    }
    require(world.engine.recompute_root() == world.engine.root(), "root after a race");
  }
  return done;
}

TEST(Containers, AreWholeAfterRaces) {
  testing::check_walks("races", testing::kRaceOperations, race_on_all);
}

}  // namespace
}  // namespace eve::state
