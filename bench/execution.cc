// `eve bench execution`: batches through the execution stage alone (mixing, workers, hashing,
// token), N worker threads in turn with one.
#include <chrono>
#include <memory>
#include <string>

#include "bench/bench.h"
#include "crypto/digest.h"
#include "eve/state.h"
#include "execution/runner.h"
#include "runtime/thread_pool.h"
#include "wire/codec.h"

namespace eve::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kRequests = 256;  // a batch
constexpr uint32_t kKeys = 100'000;

/// Each request computes for a while, then writes one key; neighbours in a batch do not conflict.
class Computing final : public Service {
 public:
  Computing(State& state, std::chrono::nanoseconds work) : table_(state, "table"), work_(work) {}

  void footprint(ByteView request, Footprint& out) const override { out.write(request); }

  void execute(Context& context, ByteView request, Bytes& reply) override {
    if (work_.count() > 0) {
      const auto until = Clock::now() + work_;
      while (Clock::now() < until) {
      }
    }
    table_.put(context, request, value_);
    reply = "ok";
  }

 private:
  ByteMap table_;
  const std::chrono::nanoseconds work_;
  const Bytes value_ = Bytes(64, 'v');
};

/// Any worker may ask: the runner estimates from it what a request costs.
TimeUs now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
      .count();
}

/// A replica's execution stage fed with batches of one session.
class Stage {
 public:
  Stage(const crypto::Digester& digester, size_t threads, std::chrono::nanoseconds work)
      : digester_(digester),
        pool_(threads),
        runner_(
            digester, pool_,
            [work](State& state) { return std::make_unique<Computing>(state, work); }, now_us) {
    run({wire::make_bundle({wire::BundleKind::kOpen, 0, SessionId(0), RequestNumber(1), {}}, {},
                           no_signature)});
  }

  /// Microseconds for each request over `seconds`.
  double measure(double seconds) {
    const auto start = Clock::now();
    uint64_t requests = 0;
    double elapsed = 0;
    while (elapsed < seconds) {
      run({next_bundle()});
      requests += kRequests;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return elapsed * 1e6 / static_cast<double>(requests);
  }

 private:
  static Bytes no_signature(ByteView) { return {}; }

  wire::BundlePtr next_bundle() {
    std::vector<Bytes> requests;
    for (uint32_t i = 0; i < kRequests; ++i) {
      requests.push_back("key" + std::to_string((next_ + i) % kKeys));
    }
    auto bundle = wire::make_bundle(
        {wire::BundleKind::kCall, 0, session_, RequestNumber(next_), RequestNumber(next_ - 1)},
        requests, no_signature);
    next_ += kRequests;
    return bundle;
  }

  void run(std::vector<wire::BundlePtr> bundles) {
    number_ = number_.next();
    auto batch = wire::make_batch(View(0), number_, static_cast<TimeUs>(number_.value()), 7,
                                  std::move(bundles), digester_);
    runner_.apply(execution::RunBatch{0, batch, execution::RunMode::kParallel},
                  [&](execution::Event event) { take(std::get<execution::BatchExecuted>(event)); });
    runner_.apply(execution::CommitBatches{number_}, [](execution::Event) {});
  }

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
};

void add_rows(const crypto::Digester& digester, const std::string& digest, int work_us,
              const BenchOptions& options, Report& report) {
  const auto work = std::chrono::microseconds(work_us);
  Stage one(digester, 1, work);
  Stage many(digester, options.threads, work);
  const std::string what =
      work_us == 0 ? "puts" : "requests of " + std::to_string(work_us) + " us of computing";
  Row row{what + ", " + digest + ", " + std::to_string(options.threads) + " workers",
          "us/request",
          {},
          "1 worker",
          {},
          "lower"};
  for (size_t i = 0; i < options.runs; ++i) {
    row.values.push_back(many.measure(options.seconds));
    row.baseline_values.push_back(one.measure(options.seconds));
  }
  report.rows.push_back(std::move(row));
}

}  // namespace

Result<Report> bench_execution(const BenchOptions& options) {
  Report report;
  report.name = "execution";
  report.command = "eve bench execution --threads " + std::to_string(options.threads) +
                   " --seconds " + std::to_string(options.seconds) + " --runs " +
                   std::to_string(options.runs);
  const crypto::Secret secret{};
  const crypto::Digester sha(crypto::DigestAlgorithm::kSha256, secret);
  const crypto::Digester xxh(crypto::DigestAlgorithm::kXxh3, secret);
  for (const int work_us : {0, 10, 100}) {
    add_rows(xxh, "XXH3-128", work_us, options, report);
    add_rows(sha, "SHA-256", work_us, options, report);
  }
  return report;
}

}  // namespace eve::bench
