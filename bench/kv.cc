// `eve bench kv`: a whole cluster of processes on this machine under SETs, in turn with a
// redis-server of its own under the same load.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/random.h"
#include "bench/bench.h"
#include "bench/redis_server.h"
#include "bench/resp_load.h"
#include "cli/dev_cluster.h"
#include "cli/free_port.h"
#include "services/kv/front_end.h"
#include "services/kv/service.h"

namespace eve::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeys = 10'000;
constexpr size_t kValueBytes = 64;

/// SETs of random keys until the time is up.
class SetSource final : public LoadSource {
 public:
  explicit SetSource(double seconds)
      : until_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(seconds))) {}

  bool next(size_t /*connection*/, Bytes& out) override {
    // Asking for the time at every command would be part of what is measured.
    if (++asked_ % 64 == 0) over_ = Clock::now() >= until_;
    if (over_) return false;
    char key[24];
    std::snprintf(key, sizeof key, "key:%012llu",
                  static_cast<unsigned long long>(random_.below(kKeys)));
    append_command(out, {"SET", key, value_});
    return true;
  }

  void reply(size_t /*connection*/, ByteView bytes, double latency_us) override {
    if (bytes != "+OK\r\n") ++errors_;
    latencies_.push_back(static_cast<float>(latency_us));
  }

  size_t replies() const { return latencies_.size(); }
  size_t errors() const { return errors_; }
  double percentile_ms(double fraction) {
    if (latencies_.empty()) return 0;
    const auto at = static_cast<size_t>(fraction * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), latencies_.begin() + static_cast<ptrdiff_t>(at),
                     latencies_.end());
    return latencies_[at] / 1000.0;
  }

 private:
  Clock::time_point until_;
  Random random_{42};
  const Bytes value_ = Bytes(kValueBytes, 'v');
  uint64_t asked_ = 0;
  bool over_ = false;
  size_t errors_ = 0;
  std::vector<float> latencies_;
};

struct Load {
  const char* name;
  size_t connections;
  size_t pipeline;
};
constexpr Load kLoads[] = {{"1 outstanding", 1, 1},
                           {"50 outstanding (50 x 1)", 50, 1},
                           {"800 outstanding (50 x 16)", 50, 16}};

struct Measurement {
  double cpu_us = 0;  ///< per request, all server processes
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// User and system time of a process so far, in microseconds.
double cpu_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto after_name = all.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(all.substr(after_name + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double cpu_of(const std::vector<pid_t>& pids) {
  double sum = 0;
  for (auto pid : pids) sum += cpu_of(pid);
  return sum;
}

Result<Measurement> measure(uint16_t port, const std::vector<pid_t>& pids, const Load& load,
                            double seconds) {
  SetSource warm_up(std::min(0.3, seconds));
  const LoadOptions options{port, load.connections, load.pipeline, 30};
  if (auto status = run_load(options, warm_up); !status) return Error{status.message()};
  SetSource source(seconds);
  const double cpu_before = cpu_of(pids);
  const auto start = Clock::now();
  if (auto status = run_load(options, source); !status) return Error{status.message()};
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const double cpu = cpu_of(pids) - cpu_before;
  if (source.errors() > 0) return Error{std::to_string(source.errors()) + " SETs were refused"};
  const auto count = static_cast<double>(source.replies());
  return Measurement{cpu / count, count / elapsed, source.percentile_ms(0.5),
                     source.percentile_ms(0.99)};
}

struct Rows {
  Row cpu, throughput, p50, p99;
  explicit Rows(const std::string& what)
      : cpu{what + ": CPU per request", "us", {}, "redis-server alone", {}, "lower"},
        throughput{what + ": throughput", "requests/s", {}, "redis-server alone", {}, "higher"},
        p50{what + ": latency p50", "ms", {}, "redis-server alone", {}, "lower"},
        p99{what + ": latency p99", "ms", {}, "redis-server alone", {}, "lower"} {}

  void add(const Measurement& eve, const Measurement& redis) {
    cpu.values.push_back(eve.cpu_us);
    cpu.baseline_values.push_back(redis.cpu_us);
    throughput.values.push_back(eve.per_second);
    throughput.baseline_values.push_back(redis.per_second);
    p50.values.push_back(eve.p50_ms);
    p50.baseline_values.push_back(redis.p50_ms);
    p99.values.push_back(eve.p99_ms);
    p99.baseline_values.push_back(redis.p99_ms);
  }
};

cli::Program kv_program() {
  cli::Program program;
  program.name = "eve";
  program.services.push_back(
      {"kv", kv::make_service, [] { return std::make_unique<kv::FrontEndFactory>(); }});
  return program;
}

/// Free again when this returns: whoever listens there must be able to bind them.
std::pair<uint16_t, uint16_t> two_free_ports() {
  cli::PortSource ports;
  const uint16_t first = ports.next();
  return {first, ports.next()};
}

Status measure_config(const std::string& config, const BenchOptions& options, Report& report) {
  cli::DevOptions dev;
  dev.config = config;
  dev.service = "kv";
  dev.threads = options.threads;
  dev.layout = options.layout;
  const auto [eve_port, redis_port] = two_free_ports();
  dev.port = eve_port;
  auto cluster = cli::DevCluster::start(kv_program(), dev);
  if (!cluster) return cluster.status();
  auto redis = RedisServer::start(redis_port);
  if (!redis) return redis.status();
  std::vector<pid_t> pids;
  for (const auto& child : (*cluster)->children()) pids.push_back(child.pid);
  for (const auto& load : kLoads) {
    Rows rows(config + " SET, " + load.name);
    for (size_t run = 0; run < options.runs; ++run) {
      auto eve = measure(dev.port, pids, load, options.seconds);
      if (!eve) return eve.status();
      auto baseline = measure((*redis)->port(), {(*redis)->pid()}, load, options.seconds);
      if (!baseline) return baseline.status();
      rows.add(*eve, *baseline);
      std::fprintf(stderr, "%s, %s, run %zu: %.1f us CPU, %.0f requests/s, p99 %.2f ms\n",
                   config.c_str(), load.name, run + 1, eve->cpu_us, eve->per_second, eve->p99_ms);
    }
    for (auto* row : {&rows.cpu, &rows.throughput, &rows.p50, &rows.p99}) {
      report.rows.push_back(*row);
    }
  }
  return {};
}

}  // namespace

Result<Report> bench_kv(const BenchOptions& options) {
  Report report;
  report.name = "kv";
  report.command = "eve bench kv --config " + options.config + " --layout " + options.layout +
                   " --threads " + std::to_string(options.threads) + " --seconds " +
                   std::to_string(options.seconds) + " --runs " + std::to_string(options.runs);
  for (const char* config : {"crash", "bft"}) {
    if (options.config != "both" && options.config != config) continue;
    if (auto status = measure_config(config, options, report); !status) {
      return Error{status.message()};
    }
  }
  return report;
}

}  // namespace eve::bench
