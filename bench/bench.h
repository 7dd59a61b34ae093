// `eve bench NAME`: benchmarks with their baselines.
#pragma once

#include <string>
#include <vector>

#include "bench/report.h"
#include "eve/result.h"

namespace eve::bench {

struct BenchOptions {
  size_t threads = 2;
  double seconds = 2;  ///< of each measurement
  size_t runs = 3;
  std::string json;             ///< file to write
  std::string config = "both";  ///< kv: bft, crash or both
  std::string layout = "split";
  bool quick = false;  ///< state, checkpoint: small sizes
  std::string directory =
      ".";  ///< journal, checkpoint: where to make files, on the disk to measure
  std::vector<std::string> rows;  ///< state: these groups; empty: all but the alternatives
};

/// CPU per committed request of a whole cluster, throughput and latency, against redis-server.
Result<Report> bench_kv(const BenchOptions& options);
/// The execution stage alone: worker threads against one.
Result<Report> bench_execution(const BenchOptions& options);
/// What checkpoints cost batches beside them, and recovery from one.
Result<Report> bench_checkpoint(const BenchOptions& options);
/// The state engine alone, each row against its baseline and its goal.
Result<Report> bench_state(const BenchOptions& options);
/// What durability costs an executor, beside what the disk can do.
Result<Report> bench_journal(const BenchOptions& options);
/// The groups of rows that it knows.
std::vector<std::string> state_row_groups();

/// argv[0] is "bench".
int run_command(int argc, char** argv);

}  // namespace eve::bench
