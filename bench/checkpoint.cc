// `eve bench checkpoint`: what a checkpoint of a large state costs the batches that run meanwhile,
// and how long recovery from it takes. A replica's execution stage, fed as fast as it goes; beside
// it a thread that writes a log, with one sync for all batches that wait, and the checkpoint.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/random.h"
#include "bench/bench.h"
#include "bench/checkpoint.h"
#include "bench/state.h"
#include "durability/checkpoint_reader.h"
#include "durability/checkpoint_taker.h"
#include "journal/log_writer.h"
#include "runtime/posix_disk.h"
#include "runtime/thread_pool.h"
#include "wire/codec.h"

namespace eve::bench {
namespace {

using Clock = std::chrono::steady_clock;
using durability::CheckpointTaker;

constexpr size_t kBundle = 1000;  // requests
/// Batches that may wait for the disk: as many as an executor runs ahead (limits::kWindow).
constexpr size_t kAhead = 16;

TimeUs now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
      .count();
}

/// Each request is a key and its value.
class Putting final : public Service {
 public:
  explicit Putting(State& state) : map_(state, "map") {}
  void footprint(ByteView request, Footprint& out) const override {
    out.write(request.substr(0, kKeyBytes));
  }
  void execute(Context& context, ByteView request, Bytes& reply) override {
    map_.put(context, request.substr(0, kKeyBytes), request.substr(kKeyBytes));
    reply = "ok";
  }

 private:
  ByteMap map_;
};

/// Batches of one session.
class Stage {
 public:
  Stage(const crypto::Digester& digester, size_t threads)
      : digester_(digester),
        pool_(threads),
        runner_(
            digester, pool_, [](State& state) { return std::make_unique<Putting>(state); },
            now_us) {}

  execution::Runner& runner() { return runner_; }
  BatchNumber number() const { return number_; }

  void open_session() {
    run({wire::make_bundle({wire::BundleKind::kOpen, 0, SessionId(0), RequestNumber(1), {}}, {},
                           no_signature)});
  }
  void load(uint64_t objects) {
    Random random(1);
    while (loaded_ < objects) {
      const size_t count = std::min<uint64_t>(kBundle, objects - loaded_);
      run({bundle(count, [&] { return loaded_++; })});
    }
  }
  wire::BatchPtr next_batch(size_t writes, Random& random) {
    return batch({bundle(writes, [&] { return random.below(loaded_); })});
  }
  void run(const wire::BatchPtr& batch) {
    runner_.apply(execution::RunBatch{0, batch, execution::RunMode::kParallel},
                  [&](execution::Event event) { take(std::get<execution::BatchExecuted>(event)); });
    runner_.apply(execution::CommitBatches{batch->number}, [](execution::Event) {});
  }

 private:
  static Bytes no_signature(ByteView) { return {}; }

  template <typename Draw>
  wire::BundlePtr bundle(size_t count, const Draw& draw) {
    std::vector<Bytes> requests(count);
    std::string key;
    std::string value;
    for (Bytes& request : requests) {
      make_key(draw(), key);
      make_value(++values_, value);
      request = key + value;
    }
    auto made = wire::make_bundle(
        {wire::BundleKind::kCall, 0, session_, RequestNumber(next_), RequestNumber(next_ - 1)},
        requests, no_signature);
    next_ += count;
    return made;
  }
  wire::BatchPtr batch(std::vector<wire::BundlePtr> bundles) {
    number_ = number_.next();
    return wire::make_batch(View(0), number_, static_cast<TimeUs>(number_.value()), 7,
                            std::move(bundles), digester_);
  }
  void run(std::vector<wire::BundlePtr> bundles) { run(batch(std::move(bundles))); }
  void take(const execution::BatchExecuted& executed) {
    if (session_ != SessionId(0)) return;
    session_ =
        SessionId(Codec<uint64_t>::decode(executed.replies.at(0).payload.view()).value_or(0));
  }

  const crypto::Digester& digester_;
  runtime::ThreadPool pool_;
  execution::Runner runner_;
  BatchNumber number_;
  SessionId session_;
  uint64_t next_ = 1;
  uint64_t loaded_ = 0;
  uint64_t values_ = 0;
};

/// The thread with the disk.
class Disk {
 public:
  Disk(CheckpointTaker& taker, journal::LogWriter& log)
      : taker_(taker), log_(log), thread_([this] { serve(); }) {}
  ~Disk() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Waits while as many batches wait as may.
  void log(size_t bytes) {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [&] { return given_ - durable_ < kAhead; });
    ++given_;
    waiting_ += bytes;
    since_.push_back(now_us());
    lock.unlock();
    wake_.notify_all();
  }
  /// Of batches that became durable since it was last asked: how long that took.
  std::vector<TimeUs> take_latencies() {
    std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }

 private:
  void serve() {
    for (;;) {
      size_t bytes = 0;
      uint64_t upto = 0;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, std::chrono::microseconds(500), [&] { return stop_ || waiting_ > 0; });
        if (stop_) return;
        bytes = std::exchange(waiting_, 0);
        upto = given_;
      }
      if (bytes > 0) {
        EVE_CHECK(log_.append(1, upto, Bytes(bytes, 'd')).ok() && log_.flush().ok(),
                  "the disk fails");
        acknowledge(upto);
      }
      (void)taker_.work([&](BatchNumber) {
        return durability::CheckpointPlace{log_.end(), "nothing"};
      });
    }
  }
  void acknowledge(uint64_t upto) {
    {
      std::lock_guard lock(mutex_);
      const TimeUs now = now_us();
      for (; durable_ < upto; ++durable_) {
        latencies_.push_back(now - since_.front());
        since_.pop_front();
      }
    }
    written_.notify_all();
  }

  CheckpointTaker& taker_;
  journal::LogWriter& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  bool stop_ = false;
  uint64_t given_ = 0;
  uint64_t durable_ = 0;
  size_t waiting_ = 0;
  std::deque<TimeUs> since_;
  std::vector<TimeUs> latencies_;
  std::thread thread_;
};

double percentile(std::vector<TimeUs> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return static_cast<double>(values[at]);
}

struct Phase {
  std::vector<TimeUs> executing;       ///< of each batch: its step, run and commit; CPU time
  std::vector<TimeUs> executing_wall;  ///< and by the clock
  std::vector<TimeUs> durable;         ///< and until it was on the disk
};

struct Results {
  Phase without;
  Phase with;
  CheckpointTaker::Counts counts;
  double seconds = 0;  ///< the checkpoint took
  uint64_t state_bytes = 0;
  uint64_t file_bytes = 0;
  double recovery_seconds = 0;
};

class Measurement {
 public:
  Measurement(const BenchOptions& options, uint64_t objects, size_t writes,
              const std::filesystem::path& directory)
      : options_(options),
        writes_(writes),
        directory_(directory),
        digester_(digester_of(crypto::DigestAlgorithm::kSha256)),
        objects_(objects) {}

  Result<Results> run() {
    auto disk = runtime::PosixDisk::open_directory(directory_);
    if (!disk) return disk.error();
    journal::LogOptions log_options;
    log_options.reserve_bytes = 0;
    auto log = journal::LogWriter::create(**disk, log_options, {1});
    if (!log) return log.error();
    Stage stage(digester_, options_.threads);
    stage.open_session();
    stage.load(objects_);
    durability::CheckpointOptions options;
    options.file.keep_free_bytes = 0;
    options.policy.least_log_bytes = ~uint64_t{0};
    CheckpointTaker taker(**disk, digester_, options, now_us);
    Results results;
    results.state_bytes = stage.runner().state_bytes();
    {
      Disk thread(taker, **log);
      phase(stage, taker, thread, results.without,
            [&](double elapsed) { return elapsed >= options_.seconds; });
      taker.want();
      const auto start = Clock::now();
      phase(stage, taker, thread, results.with, [&](double) {
        const auto counts = taker.counts();
        return counts.taken + counts.failed > 0;
      });
      results.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    results.counts = taker.counts();
    const auto taken = taker.taken();
    taker.stop();
    if (!taken) return Error{"no checkpoint was taken: " + results.counts.trouble};
    results.file_bytes = taken->bytes;
    return recover(**disk, std::move(results));
  }

 private:
  template <typename Done>
  void phase(Stage& stage, CheckpointTaker& taker, Disk& disk, Phase& out, const Done& done) {
    (void)disk.take_latencies();
    const auto start = Clock::now();
    const auto elapsed = [&] {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    while (!done(elapsed())) {
      const auto batch = stage.next_batch(writes_, random_);
      const Stopwatch watch;
      taker.step(stage.runner(), 0);
      stage.run(batch);
      const Cost cost = watch.elapsed();
      out.executing.push_back(static_cast<TimeUs>(cost.cpu * 1e-3));
      out.executing_wall.push_back(static_cast<TimeUs>(cost.wall * 1e-3));
      disk.log(writes_ * (kKeyBytes + kValueBytes));
    }
    out.durable = disk.take_latencies();
  }

  Result<Results> recover(journal::Disk& disk, Results results) {
    Stage fresh(digester_, options_.threads);
    const auto start = Clock::now();
    durability::CheckpointWanted wanted;
    const auto found = durability::read_checkpoint(disk, wanted, fresh.runner());
    results.recovery_seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (!found) return found.error();
    if (!found->checkpoint) return Error{"the checkpoint cannot be read"};
    return results;
  }

  const BenchOptions& options_;
  const size_t writes_;
  const std::filesystem::path directory_;
  const crypto::Digester& digester_;
  const uint64_t objects_;
  Random random_{5};
};

/// The rows of one size of batches.
struct Rows {
  Row pause, typical, latency, bytes, rate, recovery;

  Rows(uint64_t objects, size_t writes) {
    const std::string what =
        ", " + with_commas(objects) + " objects, " + with_commas(writes) + " writes a batch";
    const auto name = [&](Row& row, const char* title, const char* unit, const char* baseline) {
      row.name = title + what;
      row.unit = unit;
      row.baseline = baseline;
    };
    name(pause, "longest batch beside a checkpoint", "ms", "without one");
    name(typical, "median batch beside a checkpoint", "ms", "without one");
    name(latency, "99% of batches on the disk within, beside a checkpoint", "ms", "without one");
    name(bytes, "bytes of a checkpoint", "B/B of state", "");
    name(rate, "time to take a checkpoint", "s/GB of state", "");
    name(recovery, "recovery", "s/GB of state", "");
  }

  void add(const Results& results) {
    constexpr double kMs = 1e-3;
    const double gigabytes = static_cast<double>(results.state_bytes) / 1e9;
    const auto pair = [&](Row& row, double share, std::vector<TimeUs> Phase::*of) {
      row.values.push_back(percentile(results.with.*of, share) * kMs);
      row.baseline_values.push_back(percentile(results.without.*of, share) * kMs);
    };
    const auto walls = [&](Row& row, double share) {
      row.wall.push_back(percentile(results.with.executing_wall, share) * kMs);
      row.baseline_wall.push_back(percentile(results.without.executing_wall, share) * kMs);
    };
    pair(pause, 1, &Phase::executing);
    walls(pause, 1);
    pair(typical, 0.5, &Phase::executing);
    walls(typical, 0.5);
    pair(latency, 0.99, &Phase::durable);
    bytes.values.push_back(static_cast<double>(results.file_bytes) /
                           static_cast<double>(results.state_bytes));
    rate.values.push_back(results.seconds / gigabytes);
    recovery.values.push_back(results.recovery_seconds / gigabytes);
    pause.others = {
        {"longest step of the checkpoint by the clock, ms",
         static_cast<double>(results.counts.longest_step_us) * kMs},
        {"times that it went on with a newer version", static_cast<double>(results.counts.moved)},
        {"batches meanwhile", static_cast<double>(results.with.executing.size())},
        {"99.9% of batches within, ms", percentile(results.with.executing, 0.999) * kMs},
        {"99.9% without one, ms", percentile(results.without.executing, 0.999) * kMs}};
    recovery.others = {{"seconds", results.recovery_seconds}};
    rate.others = {{"seconds", results.seconds}};
  }
  void give(Report& report) {
    for (Row* row : {&pause, &typical, &latency, &bytes, &rate, &recovery}) {
      report.rows.push_back(std::move(*row));
    }
  }
};

}  // namespace

Result<Report> bench_checkpoint(const BenchOptions& options) {
  Report report;
  report.name = "checkpoint";
  report.command = "eve bench checkpoint --threads " + std::to_string(options.threads) +
                   " --seconds " + std::to_string(options.seconds) + " --runs " +
                   std::to_string(options.runs) + (options.quick ? " --quick" : "");
  const uint64_t objects = options.quick ? 20'000 : 1'000'000;
  namespace fs = std::filesystem;
  const fs::path directory =
      fs::path(options.directory) / ("eve-bench-checkpoint-" + std::to_string(now_us()));
  for (const size_t writes : {10u, 100u, 1000u}) {
    Rows rows(objects, writes);
    for (size_t run = 0; run < options.runs; ++run) {
      auto results = Measurement(options, objects, writes, directory).run();
      std::error_code ignored;
      fs::remove_all(directory, ignored);
      if (!results) return results.error();
      rows.add(*results);
    }
    rows.give(report);
    report.print();
  }
  add_increment_rows(objects, report);
  report.remark =
      "The log and the checkpoint share the disk under --dir. A batch's time is that of its "
      "step of the checkpoint, its run and its commit: CPU time of the executing thread, or (wall) "
      "by the clock, which on a busy machine counts others' turns too.";
  if (options.quick) report.remark += " --quick: too small to compare anything by.";
  return report;
}

}  // namespace eve::bench
