// get and put: the engine's maps against locked and concurrent hash maps, same keys, same order.
// Puts overwrite; Eve's run inside batches, whose begin, seal and commit have a row of their own.
#include <algorithm>
#include <memory>

#include "base/scheduler.h"
#include "bench/state.h"
#include "bench/state_baselines.h"
#include "runtime/thread_pool.h"

namespace eve::bench {
namespace {

constexpr uint64_t kMostTogether = 1'000'000;  // larger ones are measured one at a time
constexpr uint64_t kBytesPerKey = 400;         // what a map may take, generously

/// What each thread does between two rendezvous: its keys, and a value for all of them.
struct Chunk {
  std::vector<std::string> keys;
  std::string value;
};
using Chunks = std::vector<Chunk>;

/// With ByteMap the value is copied to a buffer of the caller's; with Map it comes as a new string.
enum Operation { kGet, kGetTyped, kPut, kPutTyped, kOperations };

class Contender {
 public:
  virtual ~Contender() = default;
  /// One chunk on each of the crew's threads.
  virtual Cost run(Operation operation, Crew& crew, const Chunks& chunks) = 0;
  /// What batches have cost around the puts since it was last asked.
  virtual Cost take_upkeep() { return {}; }
};

/// A map of strings with `get` in both forms, and `put`.
template <typename Map>
class Baseline final : public Contender {
 public:
  explicit Baseline(uint64_t keys) {
    std::string key;
    std::string value;
    for (uint64_t index = 0; index < keys; ++index) {
      make_key(index, key);
      make_value(index, value);
      map_.put(key, value);
    }
  }
  Cost run(Operation operation, Crew& crew, const Chunks& chunks) override {
    return crew.run([&](size_t thread) {
      const Chunk& chunk = chunks[thread];
      if (operation == kGet) {
        std::string out;
        for (const auto& key : chunk.keys) keep(map_.get(key, out));
      } else if (operation == kGetTyped) {
        for (const auto& key : chunk.keys) keep(map_.get(key)->size());
      } else {
        for (const auto& key : chunk.keys) map_.put(key, chunk.value);
      }
    });
  }

 private:
  Map map_;
};

class Eve final : public Contender {
 public:
  Eve(uint64_t keys, size_t workers)
      : loaded_(crypto::DigestAlgorithm::kXxh3, workers, keys), typed_(loaded_.state(), "map") {}

  Cost run(Operation operation, Crew& crew, const Chunks& chunks) override {
    if (operation == kGet || operation == kGetTyped) return get(operation, crew, chunks);
    InlineScheduler scheduler;
    const Stopwatch opening;
    loaded_.begin();
    upkeep_ += opening.elapsed();
    const Cost cost = put(operation, crew, chunks);
    const Stopwatch closing;
    loaded_.engine().seal(scheduler);
    loaded_.commit();
    upkeep_ += closing.elapsed();
    return cost;
  }
  Cost take_upkeep() override { return std::exchange(upkeep_, Cost()); }

 private:
  Cost get(Operation operation, Crew& crew, const Chunks& chunks) {
    return crew.run([&](size_t thread) {
      Context context({}, thread, nullptr);
      const Chunk& chunk = chunks[thread];
      if (operation == kGet) {
        std::string out;
        for (const auto& key : chunk.keys) keep(out = *loaded_.map().get(context, key));
      } else {
        for (const auto& key : chunk.keys) keep(typed_.get(context, key)->size());
      }
    });
  }
  Cost put(Operation operation, Crew& crew, const Chunks& chunks) {
    return crew.run([&](size_t thread) {
      Context context({}, thread, nullptr);
      const Chunk& chunk = chunks[thread];
      if (operation == kPut) {
        for (const auto& key : chunk.keys) loaded_.map().put(context, key, chunk.value);
      } else {
        for (const auto& key : chunk.keys) typed_.put(context, key, chunk.value);
      }
    });
  }

  Loaded loaded_;
  Map<std::string, std::string> typed_;
  Cost upkeep_;
};

/// All series of one contender with one number of threads.
struct Measured {
  Series operations[kOperations];
  Series upkeep;
  Series all_in;  ///< puts to the ByteMap with their upkeep
};

struct Maker {
  const char* name;
  std::unique_ptr<Contender> (*make)(uint64_t keys, size_t workers);
};

/// The first is Eve.
const Maker kMakers[] = {
    {"Eve",
     [](uint64_t keys, size_t workers) -> std::unique_ptr<Contender> {
       return std::make_unique<Eve>(keys, workers);
     }},
    {LockedMaps::kName,
     [](uint64_t keys, size_t) -> std::unique_ptr<Contender> {
       return std::make_unique<Baseline<LockedMaps>>(keys);
     }},
#ifdef EVE_HAVE_TBB
    {TbbMap::kName,
     [](uint64_t keys, size_t) -> std::unique_ptr<Contender> {
       return std::make_unique<Baseline<TbbMap>>(keys);
     }},
#endif
};
constexpr size_t kContenders = std::size(kMakers);

struct Plan {
  uint64_t keys;
  size_t operations;  ///< of each kind in a round
  size_t rounds;
  std::vector<size_t> threads;
};

/// measured[contender][index into plan.threads]
using Results = std::vector<std::vector<Measured>>;

/// One round of one operation; `seed` decides the keys.
void measure(Contender& contender, Operation operation, const Plan& plan, Crew& crew, uint64_t seed,
             Measured& out) {
  Random random(seed);
  Chunks chunks(crew.size());
  for (Chunk& chunk : chunks) chunk.keys.resize(std::max<size_t>(1, kBatchWrites / crew.size()));
  Cost sum;
  size_t operations = 0;
  for (size_t batch = 0; batch < plan.operations / kBatchWrites; ++batch) {
    for (Chunk& chunk : chunks) {
      for (auto& key : chunk.keys) make_key(random.below(plan.keys), key);
      make_value(random.next(), chunk.value);
      operations += chunk.keys.size();
    }
    sum += contender.run(operation, crew, chunks);
  }
  out.operations[operation].add(sum, operations);
  const Cost upkeep = contender.take_upkeep();
  if (operation != kPut) return;
  out.upkeep.add(upkeep, operations, 1e-3);
  sum += upkeep;
  out.all_in.add(sum, operations);
}

/// Rounds of all operations, contenders in turn; the first round is thrown away.
void measure_group(const std::vector<size_t>& contenders, const Plan& plan, Results& results) {
  std::vector<std::unique_ptr<Contender>> made;
  const size_t workers = *std::max_element(plan.threads.begin(), plan.threads.end());
  for (const size_t index : contenders) made.push_back(kMakers[index].make(plan.keys, workers));
  for (size_t t = 0; t < plan.threads.size(); ++t) {
    Crew crew(plan.threads[t]);
    for (size_t round = 0; round <= plan.rounds; ++round) {
      for (int operation = 0; operation < kOperations; ++operation) {
        std::vector<std::function<void()>> steps;
        Measured unused;
        for (size_t i = 0; i < made.size(); ++i) {
          steps.emplace_back([&, i] {
            measure(*made[i], static_cast<Operation>(operation), plan, crew,
                    round * kOperations + static_cast<size_t>(operation),
                    round == 0 ? unused : results[contenders[i]][t]);
          });
        }
        in_turn(round, steps);
      }
    }
  }
}

std::string suffix(const Plan& plan, size_t threads) {
  return ", " + with_commas(plan.keys) + " keys, " + std::to_string(threads) +
         (threads == 1 ? " thread" : " threads");
}

/// The baseline is the best of the others at this operation.
Row compare(const std::string& name, const Series& series, Operation operation, const Plan& plan,
            size_t t, const Results& results) {
  Row row = make_row(name + suffix(plan, plan.threads[t]), "ns", series);
  size_t best = 1;
  for (size_t i = 1; i < kContenders; ++i) {
    const double cpu = median(results[i][t].operations[operation].cpu);
    row.others.emplace_back(kMakers[i].name, cpu);
    if (cpu < median(results[best][t].operations[operation].cpu)) best = i;
  }
  set_baseline(row, kMakers[best].name, results[best][t].operations[operation]);
#ifndef EVE_HAVE_TBB
  row.note = "tbb::concurrent_hash_map not measured: libtbb-dev is not installed";
#endif
  return row;
}

void add_rows(const Plan& plan, const Results& results, Report& report) {
  constexpr const char* kNames[] = {"get, ByteMap", "get, Map", "put, ByteMap", "put, Map"};
  for (size_t t = 0; t < plan.threads.size(); ++t) {
    for (const Operation operation : {kGet, kGetTyped, kPut, kPutTyped}) {
      const bool is_get = operation == kGet || operation == kGetTyped;
      const Series& series = results[0][t].operations[operation];
      report.rows.push_back(compare(kNames[operation], series, operation, plan, t, results));
      report.rows.back().goal = Goal{Goal::Of::kRatio, is_get ? 1.2 : 2.0};
    }
    report.rows.push_back(
        compare("put, ByteMap, all in", results[0][t].all_in, kPut, plan, t, results));
    report.rows.push_back(make_row("seal and commit of these puts" + suffix(plan, plan.threads[t]),
                                   "us/put", results[0][t].upkeep));
  }
}

void add_size(const Plan& plan, Report& report) {
  const bool alone = plan.keys > kMostTogether;
  if (available_memory() < plan.keys * kBytesPerKey * (alone ? 1 : kContenders)) {
    Row row;
    row.name = "get and put, " + with_commas(plan.keys) + " keys";
    row.note = "not measured: too little memory";
    report.rows.push_back(row);
    return;
  }
  Results results(kContenders, std::vector<Measured>(plan.threads.size()));
  std::vector<size_t> all;
  for (size_t i = 0; i < kContenders; ++i) {
    all.push_back(i);
    if (alone) measure_group({i}, plan, results);
  }
  if (!alone) measure_group(all, plan, results);
  add_rows(plan, results, report);
}

}  // namespace

void add_map_rows(const BenchOptions& options, Report& report) {
  const std::vector<uint64_t> sizes =
      options.quick ? std::vector<uint64_t>{1'000, 10'000}
                    : std::vector<uint64_t>{10'000, 100'000, 1'000'000, 10'000'000};
  std::vector<size_t> threads{1};
  if (options.threads > 1) threads.push_back(options.threads);
  for (const uint64_t keys : sizes) {
    const size_t operations = options.quick ? 2 * kBatchWrites : 100 * kBatchWrites;
    add_size({keys, operations, options.runs, threads}, report);
  }
}

}  // namespace eve::bench
