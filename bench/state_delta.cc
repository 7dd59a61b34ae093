// What a batch has changed, as bytes: what it costs to tell, and to do elsewhere, beside executing
// the batch; and how many bytes there are for each byte that has changed.
#include <algorithm>

#include "base/check.h"
#include "base/scheduler.h"
#include "bench/state.h"
#include "eve/pages.h"

namespace eve::bench {
namespace {

struct Measured {
  Series execute;  ///< the writes and their seal
  Series tell;     ///< Engine::delta
  Series apply;    ///< Engine::apply on another engine
};

/// Overwrites whole values, so that little of a value is kept.
Cost execute(Loaded& loaded, const std::vector<std::string>& keys, const std::string& value) {
  InlineScheduler scheduler;
  Context context({}, 0, nullptr);
  const Stopwatch watch;
  loaded.begin();
  for (const std::string& key : keys) loaded.map().put(context, key, value);
  loaded.engine().seal(scheduler);
  return watch.elapsed();
}

void measure(Loaded& leader, Loaded& follower, Random& random, size_t batches, Measured& out) {
  InlineScheduler scheduler;
  Cost executed, told, applied;
  for (size_t batch = 0; batch < batches; ++batch) {
    std::vector<std::string> keys(kBatchWrites);
    const auto drawn = draw(random, kBatchWrites, leader.keys());
    for (size_t i = 0; i < keys.size(); ++i) make_key(drawn[i], keys[i]);
    executed += execute(leader, keys, std::string(kValueBytes, static_cast<char>(random.next())));
    const Stopwatch telling;
    const auto delta = leader.engine().delta(leader.engine().last());
    told += telling.elapsed();
    const Stopwatch applying;
    const Status done = follower.engine().apply(leader.engine().last(), *delta, scheduler);
    applied += applying.elapsed();
    EVE_CHECK(done.ok() && follower.engine().root() == leader.engine().root(), "not the state");
    leader.commit();
    follower.commit();
  }
  out.execute.add(executed, batches * kBatchWrites, 1e-3);
  out.tell.add(told, batches * kBatchWrites, 1e-3);
  out.apply.add(applied, batches * kBatchWrites, 1e-3);
}

void add_costs(uint64_t objects, const BenchOptions& options, Report& report) {
  for (const auto algorithm : kAlgorithms) {
    Loaded leader(algorithm, 1, objects);
    Loaded follower(algorithm, 1, objects);
    Random random(3);
    Measured measured;
    for (size_t round = 0; round <= options.runs; ++round) {
      Measured unused;  // the first round is to warm up
      measure(leader, follower, random, options.quick ? 2 : 100, round == 0 ? unused : measured);
    }
    const std::string what =
        " of 1,000 changed, " + with_commas(objects) + " objects, " + name_of(algorithm);
    report.rows.push_back(make_row("delta" + what, "us/object", measured.tell));
    set_baseline(report.rows.back(), "put and seal", measured.execute);
    report.rows.push_back(make_row("apply" + what, "us/object", measured.apply));
    set_baseline(report.rows.back(), "put and seal", measured.execute);
  }
}

/// Bytes of the delta of one batch of `writes` writes, for each write.
template <typename Write>
double bytes_of(state::Engine& engine, size_t writes, const Write& write) {
  InlineScheduler scheduler;
  Context context({}, 0, nullptr);
  engine.begin(engine.last().next());
  for (size_t i = 0; i < writes; ++i) write(context, i);
  engine.seal(scheduler);
  return static_cast<double>(engine.delta(engine.last())->size()) / static_cast<double>(writes);
}

void add_bytes_row(const std::string& what, double bytes, double changed, Report& report) {
  Row row;
  row.name = "bytes of a delta, " + what;
  row.unit = "B/object";
  row.values.push_back(bytes);
  row.baseline = "bytes that changed";
  row.baseline_values.push_back(changed);
  report.rows.push_back(std::move(row));
}

void add_bytes(uint64_t objects, Report& report) {
  constexpr size_t kPageBytes = 4096;
  constexpr size_t kNumber = 8;
  Loaded loaded(crypto::DigestAlgorithm::kSha256, 1, objects);
  Random random(4);
  const auto drawn = draw(random, kBatchWrites, objects);
  std::string key;
  std::string value;
  const auto put = [&](uint64_t index, const std::string& written, Context& context) {
    make_key(index, key);
    loaded.map().put(context, key, written);
  };
  const std::string of = " in " + with_commas(objects) + " objects";
  const double whole = bytes_of(loaded.engine(), kBatchWrites, [&](Context& context, size_t i) {
    put(drawn[i], std::string(kValueBytes, '='), context);
  });
  add_bytes_row("values of 100 bytes overwritten" + of, whole, kValueBytes, report);
  const double part = bytes_of(loaded.engine(), kBatchWrites, [&](Context& context, size_t i) {
    put(drawn[i], std::string(46, '=') + "a number" + std::string(46, '='), context);
  });
  add_bytes_row("8 bytes of such values overwritten" + of, part, kNumber, report);
  const double fresh = bytes_of(loaded.engine(), kBatchWrites, [&](Context& context, size_t i) {
    make_value(i, value);
    put(objects + i, value, context);
  });
  add_bytes_row("new keys of 16 with values of 100" + of, fresh, kKeyBytes + kValueBytes, report);

  state::Engine engine(digester_of(crypto::DigestAlgorithm::kSha256), 1);
  State state(engine);
  Pages pages(state, "pages", kPageBytes);
  bytes_of(engine, kBatchWrites, [&](Context& context, size_t i) {
    pages.write(context, i, std::string(kPageBytes, 'p'));
  });
  const double patched = bytes_of(engine, kBatchWrites, [&](Context& context, size_t i) {
    pages.patch(context, i, i, "a number");
  });
  add_bytes_row("8 bytes of a page of 4 KiB patched", patched, kNumber, report);
}

}  // namespace

void add_delta_rows(const BenchOptions& options, Report& report) {
  const uint64_t objects = options.quick ? 10'000 : 1'000'000;
  add_costs(objects, options, report);
  add_bytes(objects, report);
}

}  // namespace eve::bench
