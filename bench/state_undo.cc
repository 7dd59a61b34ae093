// Going back, going on, and what an object takes: the same over a small and a large state.
#include <malloc.h>

#include <algorithm>

#include "base/limits.h"
#include "base/scheduler.h"
#include "bench/state.h"

namespace eve::bench {
namespace {

constexpr uint64_t kBytesPerObject = 400;  // generously

struct Measured {
  Series rollback;
  Series commit;
};

void write_batch(Loaded& loaded) {
  InlineScheduler scheduler;
  loaded.begin();
  loaded.touch(kBatchWrites);
  loaded.engine().seal(scheduler);
}

/// Until each commit lets go of the oldest record, as ever after.
void fill_history(Loaded& loaded) {
  for (uint64_t i = 0; i <= limits::kHistoryBatches; ++i) {
    write_batch(loaded);
    loaded.commit();
  }
}

void measure(Loaded& loaded, size_t batches, Measured& out) {
  InlineScheduler scheduler;
  Cost rollback;
  Cost commit;
  for (size_t batch = 0; batch < batches; ++batch) {
    write_batch(loaded);
    const Stopwatch back;
    loaded.engine().rollback(loaded.engine().committed(), scheduler);
    rollback += back.elapsed();
    write_batch(loaded);
    const Stopwatch on;
    loaded.commit();
    commit += on.elapsed();
  }
  out.rollback.add(rollback, batches * kBatchWrites, 1e-3);
  out.commit.add(commit, batches * kBatchWrites, 1e-3);
}

Row compare(const std::string& what, uint64_t small, uint64_t large, const Series& at_small,
            const Series& at_large) {
  Row row = make_row(what + ", " + with_commas(large) + " objects", "us/object", at_large);
  set_baseline(row, with_commas(small) + " objects", at_small);
  row.goal = Goal{Goal::Of::kRatio, 2.0};
  return row;
}

/// Bytes that the allocator has given out; 0 where it does not tell (under a sanitizer).
size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Row bytes_row(const std::string& name, double bytes, double limit) {
  Row row;
  row.name = name;
  row.unit = "B/object";
  row.goal = Goal{Goal::Of::kValue, limit};
  if (bytes > 0) {
    row.values.push_back(bytes);
  } else {
    row.note = "not measured: the allocator keeps no count here";
  }
  return row;
}

}  // namespace

void add_undo_rows(const BenchOptions& options, Report& report) {
  const uint64_t small = options.quick ? 2'000 : 10'000;
  uint64_t large = options.quick ? 20'000 : 10'000'000;
  std::string note;
  if (available_memory() < large * kBytesPerObject) {
    large = 1'000'000;
    note = "10,000,000 not measured: too little memory";
  }
  for (const auto algorithm : kAlgorithms) {
    Loaded at_small(algorithm, 1, small);
    Loaded at_large(algorithm, 1, large);
    fill_history(at_small);
    fill_history(at_large);
    Measured of_small;
    Measured of_large;
    const size_t batches = options.quick ? 2 : 20;
    for (size_t round = 0; round <= options.runs; ++round) {
      Measured unused;  // the first round is to warm up
      in_turn(round, {[&] { measure(at_small, batches, round == 0 ? unused : of_small); },
                      [&] { measure(at_large, batches, round == 0 ? unused : of_large); }});
    }
    const std::string of = " of 1,000 touched, " + std::string(name_of(algorithm));
    report.rows.push_back(
        compare("rollback" + of, small, large, of_small.rollback, of_large.rollback));
    report.rows.back().note = note;
    report.rows.push_back(compare("commit" + of, small, large, of_small.commit, of_large.commit));
    report.rows.back().note = note;
  }
}

void add_memory_rows(const BenchOptions& options, Report& report) {
  const uint64_t objects = options.quick ? 10'000 : 1'000'000;
  for (const auto algorithm : kAlgorithms) {
    const double limit = algorithm == crypto::DigestAlgorithm::kSha256 ? 140 : 120;
    const size_t before = bytes_in_use();
    Loaded loaded(algorithm, 1, objects);
    loaded.age();
    const auto beyond = [&](uint64_t bytes) {
      return static_cast<double>(bytes) / static_cast<double>(objects) - kKeyBytes - kValueBytes;
    };
    const std::string what =
        "memory beyond key and value, " + with_commas(objects) + " objects, " + name_of(algorithm);
    report.rows.push_back(
        bytes_row(what + ", counted", beyond(loaded.engine().counts().bytes), limit));
    report.rows.push_back(bytes_row(what + ", malloc", beyond(bytes_in_use() - before), limit));
  }
}

}  // namespace eve::bench
