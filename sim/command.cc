#include "sim/command.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/byzantine_command.h"
#include "sim/campaign.h"
#include "sim/scenario_command.h"
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
  std::string storage = "any";
  double seconds = 5;
  std::optional<double> minutes;
  size_t jobs = 1;
  bool trace = false;
  std::string mermaid;
  double from_ms = 0;
  double to_ms = 40;
  bool sites = false;
  bool all_sites = false;
  std::string json;
  ByzantineArguments byzantine;
};

/// What is wrong with it, or nothing. A minus would be taken, and mean a seed near 2^64.
std::string whole_number(const std::string& text) {
  return text.starts_with('-') ? text + " is not a whole number from 0 on" : "";
}

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--seed", arguments.first_seed, "The first seed to run")
      ->check(whole_number)
      ->capture_default_str();
  auto* seeds = app.add_option("--seeds", arguments.seeds, "How many seeds, one after the other");
  seeds->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))->capture_default_str();
  app.add_option("--config", arguments.config,
                 "bft (r = 1), crash (r = 0), both with -members: nodes are replaced; "
                 "primary-backup within the synchrony that it assumes, or "
                 "primary-backup-arbiter within none")
      ->check(CLI::IsMember({"bft", "crash", "bft-members", "crash-members", "primary-backup",
                             "primary-backup-arbiter"}))
      ->capture_default_str();
  app.add_option("--u", arguments.u, "Failures that the service stays live under")
      ->check(CLI::Range(1, 5))
      ->capture_default_str();
  app.add_option("--r", arguments.r, "With bft: lies that it stays safe under, up to u")
      ->check(CLI::Range(1, 5));
  app.add_option("--service", arguments.service, "Without: the seed chooses")
      ->check(CLI::IsMember(workload_names()));
  app.add_option("--storage", arguments.storage,
                 "What nodes keep: memory (nothing), sync (all, on disks that fail), damaged (and "
                 "disks of up to u spoil what they hold), any (the seed chooses)")
      ->check(CLI::IsMember({"any", "memory", "sync", "damaged"}))
      ->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "Virtual seconds in which requests are made")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--minutes", arguments.minutes, "Instead of --seeds: as many as fit in")
      ->excludes(seeds)
      ->check(CLI::Range(0.001, 100'000.0));
  app.add_option("--jobs", arguments.jobs, "Threads that run seeds; 0: one for each core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_flag("--trace", arguments.trace, "Print everything that happens");
  auto* mermaid =
      app.add_option("--mermaid", arguments.mermaid, "Write a sequence diagram to this file");
  app.add_option("--from", arguments.from_ms, "What the diagram shows: from here, in virtual ms,")
      ->needs(mermaid)
      ->capture_default_str();
  app.add_option("--to", arguments.to_ms, "to here")->needs(mermaid)->capture_default_str();
  app.add_flag("--sites", arguments.sites, "Print how often each kind of fault and path happened");
  app.add_flag("--all-sites", arguments.all_sites, "Fail if one of them never did");
  declare(app, arguments.byzantine);
  app.add_option("--json", arguments.json, "Write a summary to this file");
}

StorageChoice storage_choice(const std::string& name) {
  if (name == "memory") return StorageChoice::kMemory;
  if (name == "sync") return StorageChoice::kSync;
  return name == "damaged" ? StorageChoice::kDamaged : StorageChoice::kAny;
}

std::string replay_command(const Arguments& arguments, const Campaign& campaign, uint64_t seed) {
  std::string command = "eve sim --seed " + std::to_string(seed) + " --config " + arguments.config;
  if (arguments.u != 1) command += " --u " + std::to_string(arguments.u);
  if (arguments.r != 0) command += " --r " + std::to_string(arguments.r);
  if (!arguments.service.empty()) command += " --service " + arguments.service;
  if (arguments.storage != "any") command += " --storage " + arguments.storage;
  if (arguments.seconds != 5) command += " --seconds " + nlohmann::json(arguments.seconds).dump();
  return command + replay_words(campaign.options_for(seed).byzantine) + " --trace";
}

/// A broken invariant in the code under test aborts: the seed must be known nevertheless. abort()
/// raises its signal on the thread that calls it.
class AbortNotice {
 public:
  AbortNotice() { previous_ = signal(SIGABRT, on_abort); }
  ~AbortNotice() { signal(SIGABRT, previous_); }
  AbortNotice(const AbortNotice&) = delete;
  AbortNotice& operator=(const AbortNotice&) = delete;

  /// Of the calling thread.
  static void set(const std::string& command) {
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
  static inline thread_local char text_[256];
  static inline thread_local size_t length_ = 0;
};

std::string to_hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double per(double count, double seconds) {
  return seconds > 0 ? count / seconds : 0.0;
}

/// What came out of all seeds so far.
class Report {
 public:
  Report(const Arguments& arguments, const Campaign& campaign)
      : arguments_(arguments), campaign_(campaign) {}

  void add(uint64_t seed, const Outcome& outcome);
  void print() const;
  nlohmann::json json() const;
  int exit_code() const;

 private:
  double wall_s() const { return seconds_of(CLOCK_MONOTONIC) - wall_began_; }
  double cpu_s() const { return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_; }
  bool silent_site() const;
  void print_progress();

  const Arguments& arguments_;
  const Campaign& campaign_;
  double wall_began_ = seconds_of(CLOCK_MONOTONIC);
  double cpu_began_ = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  double minutes_shown_ = 0;
  Statistics total_;
  uint64_t trace_hash_ = 0;
  nlohmann::json failures_ = nlohmann::json::array();
};

void Report::add(uint64_t seed, const Outcome& outcome) {
  total_ += outcome.statistics;
  trace_hash_ = Random(trace_hash_ ^ outcome.trace_digest).next();
  if (!outcome.ok) {
    const std::string replay = replay_command(arguments_, campaign_, seed);
    std::cout << "FAILED seed " << seed << ": " << outcome.failure
              << "plan: " << describe(outcome.plan) << "\nreplay with: " << replay << std::endl;
    failures_.push_back({{"seed", seed}, {"invariant", outcome.invariant}, {"replay", replay}});
  }
  if (arguments_.minutes || arguments_.byzantine.pairs) print_progress();
}

/// A line a minute.
void Report::print_progress() {
  if (wall_s() / 60 < minutes_shown_ + 1) return;
  minutes_shown_ = std::floor(wall_s() / 60);
  std::cout << minutes_shown_ << " min: " << total_.seeds << " seeds, " << failures_.size()
            << " failed" << std::endl;
}

nlohmann::json Report::json() const {
  nlohmann::json json;
  json["trace_hash"] = to_hex(trace_hash_);
  total_.for_each([&json](const char* name, uint64_t value) { json[name] = value; });
  total_.sites.for_each([&json](const char* name, uint64_t count) { json["sites"][name] = count; });
  const double virtual_s = static_cast<double>(total_.virtual_us) / 1e6;
  json["virtual_seconds"] = virtual_s;
  json["wall_seconds"] = wall_s();
  json["cpu_seconds"] = cpu_s();
  json["seeds_per_second"] = per(static_cast<double>(total_.seeds), wall_s());
  const double asking_s = static_cast<double>(total_.asking_us) / 1e6;
  json["virtual_per_cpu_second"] = per(virtual_s, cpu_s());
  json["asking_per_cpu_second"] = per(asking_s, cpu_s());
  json["accesses_per_cpu_second"] = per(static_cast<double>(total_.accesses), cpu_s());
  json["switches_per_cpu_second"] = per(static_cast<double>(total_.switches), cpu_s());
  json["failures"] = failures_;
  json["strategies"] = to_json(total_.strategies);
  return json;
}

void Report::print() const {
  if (arguments_.sites) {
    total_.sites.for_each([](const char* name, uint64_t count) {
      std::cout << std::setw(12) << count << "  " << name << '\n';
    });
  }
  const nlohmann::json all = json();
  const auto rate = [&all](const char* name) { return static_cast<uint64_t>(all[name]); };
  std::cout << total_.seeds << " seeds, " << failures_.size() << " failed, " << total_.requests
            << " requests, " << total_.batches << " batches, " << total_.divergences
            << " divergences, " << total_.transfers << " transfers, " << rate("seeds_per_second")
            << " seeds a second, " << rate("virtual_per_cpu_second") << " virtual seconds ("
            << rate("asking_per_cpu_second") << " with clients asking, sleeps left out) and "
            << rate("accesses_per_cpu_second") << " accesses a second of one core, trace hash "
            << to_hex(trace_hash_) << '\n';
  if (arguments_.byzantine.table) print_table(total_.strategies, std::cout);
  if (arguments_.all_sites) {
    total_.sites.for_each_silent(campaign_.options.members, [](const char* name) {
      std::cout << "FAILED, never happened: " << name << '\n';
    });
  }
}

bool Report::silent_site() const {
  bool silent = false;
  total_.sites.for_each_silent(campaign_.options.members,
                               [&silent](const char*) { silent = true; });
  return silent;
}

int Report::exit_code() const {
  return !failures_.empty() || (arguments_.all_sites && silent_site()) ? 1 : 0;
}

bool write_file(const std::string& name, const std::string& text,
                std::ios::openmode mode = std::ios::out) {
  std::ofstream file(name, mode);
  file << text;
  if (file.good()) return true;
  std::cerr << "eve sim: cannot write " << name << '\n';
  return false;
}

bool is_pair(const Arguments& arguments) {
  return arguments.config.starts_with("primary-backup");
}

/// Known before the run, which may take hours.
bool can_write(const std::string& name) {
  return name.empty() || write_file(name, "", std::ios::app);
}

int run_all(const Arguments& arguments) {
  const uint32_t r = arguments.config.starts_with("bft") ? std::max(arguments.r, 1u) : 0;
  Campaign campaign;
  campaign.options.model =
      is_pair(arguments) ? FaultModel::primary_backup() : FaultModel(arguments.u, r);
  campaign.options.members = arguments.config.ends_with("-members");
  campaign.options.arbiter = arguments.config == "primary-backup-arbiter";
  campaign.options.service = arguments.service;
  campaign.options.storage = storage_choice(arguments.storage);
  campaign.options.duration_us = static_cast<TimeUs>(arguments.seconds * 1e6);
  campaign.options.byzantine = arguments.byzantine.options;
  campaign.first_seed = arguments.first_seed;
  campaign.seeds = arguments.seeds;
  campaign.minutes = arguments.minutes;
  campaign.jobs = arguments.jobs;
  campaign.trace = arguments.trace ? &std::cout : nullptr;
  if (arguments.byzantine.pairs) campaign.strategies = adversary::pairs(arguments.first_seed);
  campaign.starting = [&arguments, &campaign](uint64_t seed) {
    AbortNotice::set(replay_command(arguments, campaign, seed));
  };
  Diagram diagram(static_cast<TimeUs>(arguments.from_ms * 1e3),
                  static_cast<TimeUs>(arguments.to_ms * 1e3));
  if (!arguments.mermaid.empty()) campaign.diagram = &diagram;
  const AbortNotice notice;
  Report report(arguments, campaign);
  run(campaign, [&report](uint64_t seed, const Outcome& outcome) { report.add(seed, outcome); });
  report.print();
  if (!arguments.json.empty() && !write_file(arguments.json, report.json().dump(2) + '\n')) {
    return 1;
  }
  if (!arguments.mermaid.empty() && !write_file(arguments.mermaid, diagram.text())) return 1;
  return report.exit_code();
}

/// Null, or what is wrong.
const char* complaint(const Arguments& arguments) {
  if (arguments.r > arguments.u || (arguments.r > 0 && !arguments.config.starts_with("bft"))) {
    return "--r goes with --config bft and is at most --u";
  }
  if (is_pair(arguments) && arguments.u != 1) return "--u goes with bft and crash";
  const bool one_run = arguments.seeds == 1 && !arguments.minutes;
  if (!one_run && arguments.byzantine.pairs && arguments.trace) {
    return "--pairs runs many seeds: trace one with --strategy A+B";
  }
  if ((arguments.trace || !arguments.mermaid.empty()) && arguments.jobs != 1) {
    return "--trace and --mermaid go with --jobs 1";
  }
  if (!arguments.mermaid.empty() && !one_run) return "--mermaid goes with one seed";
  if (arguments.from_ms >= arguments.to_ms) return "--from is before --to";
  return nullptr;
}

}  // namespace

int run_command(int argc, char** argv) {
  if (wants_scenario(argc, argv)) return scenario_command(argc, argv);
  CLI::App app("Runs the protocol in a simulated world: virtual time, seeded faults, checkers.",
               "eve sim");
  app.footer(
      "Scripts instead of seeds: eve sim --scenario FILE... [--mermaid | --check | --bless]\n"
      "More: docs/simulator.md, docs/scenarios.md");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const bool each_pair = arguments.byzantine.pairs && app.count("--seeds") == 0;
  if (each_pair) arguments.seeds = adversary::pairs(0).size();
  if (const char* wrong = complaint(arguments)) {
    std::cerr << "eve sim: " << wrong << '\n';
    return 2;
  }
  if (arguments.byzantine.list) {
    print_strategies(std::cout);
    return 0;
  }
  const bool liars_wanted = arguments.byzantine.needs_liars();
  if (liars_wanted && arguments.config != "bft") {
    std::cerr << "eve sim: nodes lie with --config bft only\n";
    return 2;
  }
  if (!can_write(arguments.json) || !can_write(arguments.mermaid)) return 1;
  return run_all(arguments);
}

}  // namespace eve::sim
