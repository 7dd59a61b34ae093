// The cost of a token for each dirty object: seal() against a tree written without much thought and
// against one of the same shape that does nothing else; and on several threads against one.
#include <algorithm>
#include <cstring>

#include "base/scheduler.h"
#include "bench/slot_tree.h"
#include "bench/state.h"
#include "runtime/thread_pool.h"

namespace eve::bench {
namespace {

constexpr size_t kFullNodeBytes = 512;

constexpr size_t kArity = 16;
/// Of what the machine gives to threads that have nothing in common: 1.8 where that is 2.
constexpr double kSpeedUpGoal = 0.9;

/// A binary tree over objects in an array. A token is made by hashing each dirty object and then
/// its whole path, one after the other.
class PathTree {
 public:
  PathTree(const crypto::Digester& digester, const Payloads& payloads) : digester_(digester) {
    while (leaves_ < payloads.size()) leaves_ *= 2;
    digests_.resize(2 * leaves_);
    for (uint64_t index = 0; index < payloads.size(); ++index) {
      digests_[leaves_ + index] = digester_.digest(payloads[index]);
    }
    for (uint64_t node = leaves_ - 1; node > 0; --node) hash_inner(node);
  }

  void update(const Payloads& payloads, const std::vector<uint64_t>& dirty) {
    for (const uint64_t index : dirty) {
      digests_[leaves_ + index] = digester_.digest(payloads[index]);
      for (uint64_t node = (leaves_ + index) / 2; node > 0; node /= 2) hash_inner(node);
    }
  }

 private:
  void hash_inner(uint64_t node) {
    char children[2 * sizeof(crypto::Digest::bytes)];
    const size_t size = digester_.size();
    std::memcpy(children, digests_[2 * node].bytes.data(), size);
    std::memcpy(children + size, digests_[2 * node + 1].bytes.data(), size);
    digests_[node] = digester_.digest(ByteView(children, 2 * size));
  }

  const crypto::Digester& digester_;
  uint64_t leaves_ = 1;
  std::vector<crypto::Digest> digests_;
};

/// Objects like Eve's in an array, and the trees over them that Eve's is compared with.
class Plain {
 public:
  Plain(const crypto::Digester& digester, uint64_t objects)
      : payloads_(make_payloads(objects)),
        paths_(digester, payloads_),
        slots_(digester, kArity, payloads_) {}

  std::vector<uint64_t> touch(size_t dirty) {
    std::vector<uint64_t> indexes = draw(random_, dirty, payloads_.size());
    for (const uint64_t index : indexes) ++payloads_[index][kKeyBytes];
    return indexes;
  }
  Cost update_paths(const std::vector<uint64_t>& dirty) {
    const Stopwatch watch;
    paths_.update(payloads_, dirty);
    return watch.elapsed();
  }
  Cost update_slots(const std::vector<uint64_t>& dirty) {
    const Stopwatch watch;
    slots_.update(payloads_, dirty);
    return watch.elapsed();
  }

 private:
  Payloads payloads_;
  PathTree paths_;
  SlotTree slots_;
  Random random_{5};
};

/// What is measured of one number of dirty objects, an object unless it says otherwise.
struct Measured {
  Series one;     ///< seal() on this thread
  Series paths;   ///< PathTree
  Series slots;   ///< SlotTree
  Series single;  ///< seal() on this thread again, for the speed-up
  Series many;    ///< seal() on the pool
  Series alone;   ///< plain hashing on one thread, a node
  Series crew;    ///< as much on each of several
};

Cost seal(Loaded& loaded, size_t dirty, Scheduler& scheduler, Who who) {
  loaded.begin();
  loaded.touch(dirty);
  const Stopwatch watch(who);
  loaded.engine().seal(scheduler);
  const Cost cost = watch.elapsed();
  loaded.commit();
  return cost;
}

/// What the machine gives when threads have nothing to do with each other.
Cost hash_apart(Crew& crew, const crypto::Digester& digester, size_t nodes) {
  return crew.run([&](size_t) {
    Bytes payload(kFullNodeBytes, 'n');
    for (size_t i = 0; i < nodes; ++i) {
      const crypto::Digest digest = digester.digest(payload);
      payload.replace(0, sizeof digest.bytes, digest.view());
    }
  });
}

/// `objects_each`: dirty objects in each round.
Measured measure(Loaded& loaded, Plain& plain, const crypto::Digester& digester, size_t dirty,
                 size_t objects_each, const BenchOptions& options) {
  Measured measured;
  InlineScheduler here;
  runtime::ThreadPool pool(options.threads);
  Crew single_crew(1);
  Crew full_crew(options.threads);
  const size_t batches = std::max<size_t>(2, objects_each / dirty);
  size_t turn = 0;
  size_t nodes = dirty;  // for each thread that hashes apart
  for (size_t round = 0; round <= options.runs; ++round) {
    Cost one, paths, slots, single, many, alone, crew;
    for (size_t batch = 0; batch < batches; ++batch) {
      const std::vector<uint64_t> touched = plain.touch(dirty);
      in_turn(turn++, {[&] { one += seal(loaded, dirty, here, Who::kThisThread); },
                       [&] { paths += plain.update_paths(touched); },
                       [&] { slots += plain.update_slots(touched); },
                       [&] { single += seal(loaded, dirty, here, Who::kProcess); },
                       [&] { many += seal(loaded, dirty, pool, Who::kProcess); },
                       [&] { alone += hash_apart(single_crew, digester, nodes); },
                       [&] { crew += hash_apart(full_crew, digester, nodes); }});
    }
    if (round == 0) {  // to warm up; and to hash apart for as long as a seal takes
      nodes = std::max<size_t>(1, static_cast<size_t>(static_cast<double>(dirty) * single.wall /
                                                      std::max(1.0, alone.wall)));
      continue;
    }
    const size_t objects = batches * dirty;
    measured.one.add(one, objects, 1e-3);
    measured.paths.add(paths, objects, 1e-3);
    measured.slots.add(slots, objects, 1e-3);
    measured.single.add(single, objects, 1e-3);
    measured.many.add(many, objects, 1e-3);
    measured.alone.add(alone, batches * nodes, 1e-3);
    measured.crew.add(crew, batches * nodes * options.threads, 1e-3);
  }
  return measured;
}

/// How much faster by the clock on the wall.
Row speed_up(const std::string& name, const Measured& measured) {
  Row row;
  row.name = name;
  row.unit = "x (wall)";
  row.better = "higher";
  row.baseline = "threads that hash apart";
  for (size_t i = 0; i < measured.many.wall.size(); ++i) {
    row.values.push_back(measured.single.wall[i] / measured.many.wall[i]);
    row.baseline_values.push_back(measured.alone.wall[i] / measured.crew.wall[i]);
  }
  row.others.emplace_back("CPU time of all threads to that of one",
                          median(measured.many.cpu) / median(measured.single.cpu));
  return row;
}

void add_dirty(Loaded& loaded, Plain& plain, crypto::DigestAlgorithm algorithm, size_t dirty,
               const BenchOptions& options, Report& report) {
  const Measured measured =
      measure(loaded, plain, digester_of(algorithm), dirty, options.quick ? 500 : 20'000, options);
  const std::string what = with_commas(loaded.keys()) + " objects, " + with_commas(dirty) +
                           " dirty, " + name_of(algorithm);
  const bool judged = loaded.keys() == 1'000'000 && dirty == 1'000;
  Row row = make_row("token, " + what + ", 1 thread", "us/object", measured.one);
  set_baseline(row, "binary tree, path by path", measured.paths);
  const bool sha = algorithm == crypto::DigestAlgorithm::kSha256;
  if (judged) row.goal = Goal{Goal::Of::kValue, sha ? 2.0 : 0.4};
  report.rows.push_back(std::move(row));
  row = make_row("token, " + what + ", 1 thread, second baseline", "us/object", measured.one);
  set_baseline(row, "tree of arity 16, no undo", measured.slots);
  report.rows.push_back(std::move(row));
  if (options.threads == 1) return;
  row = speed_up("token, " + what + ", speed-up, " + std::to_string(options.threads) + " threads",
                 measured);
  if (judged && options.threads == 2) row.goal = Goal{Goal::Of::kRatio, kSpeedUpGoal};
  report.rows.push_back(std::move(row));
}

}  // namespace

void add_token_rows(const BenchOptions& options, Report& report) {
  const std::vector<uint64_t> sizes = options.quick ? std::vector<uint64_t>{1'000, 10'000}
                                                    : std::vector<uint64_t>{10'000, 1'000'000};
  const std::vector<size_t> dirty_counts =
      options.quick ? std::vector<size_t>{100} : std::vector<size_t>{100, 1'000, 10'000};
  for (const uint64_t objects : sizes) {
    for (const auto algorithm : kAlgorithms) {
      Loaded loaded(algorithm, options.threads, objects);
      Plain plain(digester_of(algorithm), objects);
      for (const size_t dirty : dirty_counts) {
        add_dirty(loaded, plain, algorithm, dirty, options, report);
      }
    }
  }
}

}  // namespace eve::bench
