#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/layout.h"

namespace eve::cli {

void add_pair_options(CLI::App& command, PairOptions& options) {
  command
      .add_option("--arbiter", options.arbiter,
                  "Of primary-backup: who says which replica leads. etcd; or none, which is safe "
                  "only where delays and pauses stay far below --silence-ms "
                  "(docs/primary-backup.md)")
      ->check(CLI::IsMember({"none", "etcd"}))
      ->capture_default_str();
  command.add_option("--endpoint", options.endpoints, "Of etcd, http://HOST:PORT; once for each");
  command
      .add_option("--silence-ms", options.silence_ms,
                  "Of primary-backup: a replica that is not heard for so long is taken for dead")
      ->capture_default_str();
}

Status apply_pair_options(const PairOptions& options, runtime::ClusterConfig& config) {
  if (!config.model.is_primary_backup()) {
    if (options.arbiter == "none" && options.endpoints.empty()) return {};
    return Error{"--arbiter and --endpoint are for --config primary-backup"};
  }
  if ((options.arbiter == "etcd") == options.endpoints.empty()) {
    return Error{"--arbiter etcd and --endpoint http://HOST:PORT go together"};
  }
  config.pair.endpoints = options.endpoints;
  config.pair.silence_ms = options.silence_ms;
  config.pair.progress_ms = std::max(config.pair.progress_ms, options.silence_ms);
  return {};
}

}  // namespace eve::cli
