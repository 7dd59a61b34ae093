#include "sim/command.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/run_seed.h"
#include "sim/workload.h"

namespace eve::sim {
namespace {

struct Arguments {
  uint64_t first_seed = 1;
  uint64_t seeds = 1;
  std::string config = "bft";
  uint32_t u = 1;
  uint32_t r = 0;  ///< 0: that of the config
  std::string service;
  double seconds = 5;
  bool trace = false;
  std::string json;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--seed", arguments.first_seed, "The first seed to run")->capture_default_str();
  app.add_option("--seeds", arguments.seeds, "How many seeds, one after the other")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--config", arguments.config, "bft (r = 1) or crash (r = 0)")
      ->check(CLI::IsMember({"bft", "crash"}))
      ->capture_default_str();
  app.add_option("--u", arguments.u, "Failures that the service stays live under")
      ->check(CLI::Range(1, 5))
      ->capture_default_str();
  app.add_option("--r", arguments.r, "With bft: lies that it stays safe under, up to u")
      ->check(CLI::Range(1, 5));
  app.add_option("--service", arguments.service, "Without: the seed chooses")
      ->check(CLI::IsMember(workload_names()));
  app.add_option("--seconds", arguments.seconds, "Virtual seconds in which requests are made")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_flag("--trace", arguments.trace, "Print everything that happens");
  app.add_option("--json", arguments.json, "Write a summary to this file");
}

std::string replay_command(const Arguments& arguments, uint64_t seed) {
  std::string command = "eve sim --seed " + std::to_string(seed) + " --config " + arguments.config;
  if (arguments.u != 1) command += " --u " + std::to_string(arguments.u);
  if (arguments.r != 0) command += " --r " + std::to_string(arguments.r);
  if (!arguments.service.empty()) command += " --service " + arguments.service;
  if (arguments.seconds != 5) command += " --seconds " + nlohmann::json(arguments.seconds).dump();
  return command + " --trace";
}

/// A broken invariant in the code under test aborts: the seed must be known nevertheless.
class AbortNotice {
 public:
  AbortNotice() { previous_ = signal(SIGABRT, on_abort); }
  ~AbortNotice() { signal(SIGABRT, previous_); }
  AbortNotice(const AbortNotice&) = delete;
  AbortNotice& operator=(const AbortNotice&) = delete;

  void set(const std::string& command) {
    length_ = std::min(command.size(), sizeof text_ - 1);
    std::copy_n(command.begin(), length_, text_);
    text_[length_++] = '\n';
  }

 private:
  static void on_abort(int) {
    constexpr char kIntroduction[] = "FAILED, aborted; replay with: ";
    if (write(STDERR_FILENO, kIntroduction, sizeof kIntroduction - 1) < 0) return;
    if (write(STDERR_FILENO, text_, length_) < 0) return;
  }

  using Handler = void (*)(int);
  Handler previous_;
  static inline char text_[256];
  static inline size_t length_ = 0;
};

std::string to_hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

nlohmann::json summary(const Statistics& total, uint64_t trace_hash, const nlohmann::json& failures,
                       double wall_s) {
  nlohmann::json json;
  json["trace_hash"] = to_hex(trace_hash);
  total.for_each([&json](const char* name, uint64_t value) { json[name] = value; });
  json["virtual_seconds"] = static_cast<double>(total.virtual_us) / 1e6;
  json["wall_seconds"] = wall_s;
  json["seeds_per_second"] = wall_s > 0 ? static_cast<double>(total.seeds) / wall_s : 0.0;
  json["failures"] = failures;
  return json;
}

int run_all(const Arguments& arguments) {
  Options options;
  const uint32_t r = arguments.config == "crash" ? 0 : std::max(arguments.r, 1u);
  options.model = FaultModel(arguments.u, r);
  options.service = arguments.service;
  options.duration_us = static_cast<TimeUs>(arguments.seconds * 1e6);
  Fibers fibers(kWorkers);
  AbortNotice notice;
  Statistics total;
  uint64_t trace_hash = 0;
  auto failures = nlohmann::json::array();
  const auto started = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    const uint64_t seed = arguments.first_seed + i;
    const std::string replay = replay_command(arguments, seed);
    notice.set(replay);
    const Outcome outcome = run_seed(seed, options, fibers, arguments.trace ? &std::cout : nullptr);
    total += outcome.statistics;
    trace_hash = Random(trace_hash ^ outcome.trace_digest).next();
    if (outcome.ok) continue;
    std::cout << "FAILED seed " << seed << ": " << outcome.failure
              << "plan: " << describe(outcome.plan) << "\nreplay with: " << replay << std::endl;
    failures.push_back({{"seed", seed}, {"invariant", outcome.invariant}, {"replay", replay}});
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  const nlohmann::json json = summary(total, trace_hash, failures, wall.count());
  std::cout << total.seeds << " seeds, " << failures.size() << " failed, " << total.requests
            << " requests, " << total.batches << " batches, " << total.divergences
            << " divergences, " << total.transfers << " transfers, "
            << static_cast<uint64_t>(json["seeds_per_second"].get<double>())
            << " seeds a second, trace hash " << json["trace_hash"].get<std::string>() << '\n';
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    file << json.dump(2) << '\n';
    if (!file.good()) {
      std::cerr << "eve sim: cannot write " << arguments.json << '\n';
      return 1;
    }
  }
  return failures.empty() ? 0 : 1;
}

}  // namespace

int run_command(int argc, char** argv) {
  CLI::App app("Runs the protocol in a simulated world: virtual time, seeded faults, checkers.",
               "eve sim");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (arguments.r > arguments.u || (arguments.r > 0 && arguments.config == "crash")) {
    std::cerr << "eve sim: --r goes with --config bft and is at most --u\n";
    return 2;
  }
  return run_all(arguments);
}

}  // namespace eve::sim
