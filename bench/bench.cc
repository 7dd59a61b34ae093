#include "bench/bench.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace eve::bench {
namespace {

void add_common_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--threads", options.threads, "Workers of the execution stage")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--runs", options.runs, "Interleaved repetitions")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option("--json", options.json, "Write the report there");
}

void add_execution_options(CLI::App& command, BenchOptions& options) {
  add_common_options(command, options);
  command.add_option("--seconds", options.seconds, "Length of each measurement")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

void add_kv_options(CLI::App& command, BenchOptions& options) {
  add_execution_options(command, options);
  command.add_option("--config", options.config, "bft, crash or both")
      ->check(CLI::IsMember({"bft", "crash", "both"}))
      ->capture_default_str();
  command.add_option("--layout", options.layout, "split or joint processes")
      ->check(CLI::IsMember({"split", "joint"}))
      ->capture_default_str();
}

void add_state_options(CLI::App& command, BenchOptions& options) {
  add_common_options(command, options);
  command.add_flag("--quick", options.quick, "Small sizes: to see that it runs, in seconds");
  command.add_option("--rows", options.rows, "Only these groups of rows, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(state_row_groups()));
}

void add_journal_options(CLI::App& command, BenchOptions& options) {
  command.add_option("--runs", options.runs, "Interleaved repetitions")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option("--json", options.json, "Write the report there");
  command.add_option("--seconds", options.seconds, "Length of a measurement, more or less")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command.add_option("--dir", options.directory,
                     "A folder on the disk to be measured (default: the current one); what is "
                     "made in it is removed");
}

void add_checkpoint_options(CLI::App& command, BenchOptions& options) {
  add_execution_options(command, options);
  command.add_flag("--quick", options.quick, "Small sizes: to see that it runs, in seconds");
  command.add_option("--dir", options.directory, "Where to make files, on the disk to measure")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
}

struct Benchmark {
  const char* name;
  const char* description;
  void (*add_options)(CLI::App&, BenchOptions&);
  Result<Report> (*run)(const BenchOptions&);
};

constexpr Benchmark kBenchmarks[] = {
    {"kv", "A whole KV cluster: CPU per request, throughput, latency, against redis-server",
     add_kv_options, bench_kv},
    {"execution", "The execution stage: worker threads against one", add_execution_options,
     bench_execution},
    {"journal",
     "What durability costs: the disk's own syncs, the journal's, and an executor's stage at each "
     "level against memory",
     add_journal_options, bench_journal},
    {"state",
     "The state engine: maps, tokens, undo, memory, ordered maps and pages, each against its "
     "baseline; with --rows alternatives, what could replace its tree",
     add_state_options, bench_state},
    {"checkpoint", "What checkpoints cost the batches beside them, and recovery from one",
     add_checkpoint_options, bench_checkpoint},
};

int report_error(const std::string& message) {
  std::fprintf(stderr, "eve bench: %s\n", message.c_str());
  return 1;
}

int finish(Result<Report> report, const BenchOptions& options) {
  if (!report) return report_error(report.message());
  report->print();
  if (!report->remark.empty()) std::printf("\n%s\n", report->remark.c_str());
  if (options.json.empty()) return 0;
  if (auto status = report->write(options.json); !status) return report_error(status.message());
  return 0;
}

}  // namespace

int run_command(int argc, char** argv) {
  CLI::App app{"Benchmarks with their baselines", "eve bench"};
  app.require_subcommand(1);
  BenchOptions options;
  int status = 0;
  for (const auto& benchmark : kBenchmarks) {
    auto* command = app.add_subcommand(benchmark.name, benchmark.description);
    benchmark.add_options(*command, options);
    command->callback([&] { status = finish(benchmark.run(options), options); });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace eve::bench
