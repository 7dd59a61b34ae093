// `restore`: a new cluster that begins with a backup's state (docs/backup.md).
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/scheduler.h"
#include "cli/commands.h"
#include "cli/dev_cluster.h"
#include "cli/init_options.h"
#include "durability/genesis_state.h"
#include "runtime/backup_file.h"
#include "runtime/genesis.h"
#include "runtime/node.h"
#include "runtime/posix_disk.h"

namespace eve::cli {
namespace {

using nlohmann::ordered_json;

struct RestoreOptions {
  std::string backup;
  InitOptions cluster;
  bool local = false;
  std::string layout = "split";
  bool as_json = false;
};

TimeUs wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<runtime::ClusterConfig> wanted_cluster(const RestoreOptions& options,
                                              const std::string& service) {
  const InitOptions& wanted = options.cluster;
  if (options.local == !wanted.hosts.empty()) {
    return Error{"give --host once for each machine, or --local for a cluster of `dev`"};
  }
  if (!options.local) return new_cluster(wanted, service);
  auto model = fault_model(wanted.config, wanted.u);
  if (!model) return model.error();
  const auto layout = options.layout == "split" ? Layout::kSplit : Layout::kJoint;
  auto config = local_layout(*model, layout, {wanted.ports.service_port}, service);
  if (!config) return config;
  if (auto status = apply_pair_options(wanted.pair, *config); !status) {
    return Error{status.message()};
  }
  return config;
}

/// Of batches to come: a service may rely on it that time never goes back.
Status check_clock(TimeUs last_us) {
  const TimeUs ahead_us = last_us - wall_us();
  if (ahead_us <= 0) return {};
  return Error{"the last batch in the backup is " + std::to_string(ahead_us / 1'000'000) +
               " s later than this machine's clock: set the clock right, for the service's time " +
               "must not go back"};
}

/// The directory of the new cluster. What was made in it goes away again, unless it is kept: else
/// the next attempt would find it not empty. (write_cluster() sees to its own files.)
class NewDirectory {
 public:
  explicit NewDirectory(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~NewDirectory() {
    if (keep_ || !ours_) return;
    std::error_code ignored;
    std::filesystem::remove_all(runtime::genesis_directory(directory_), ignored);
    unmark_as_made_by_dev(directory_);
    for (const auto& made : made_) std::filesystem::remove(made, ignored);
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  /// It exists afterwards, with an empty folder `genesis`, which is this process's: of two that
  /// find it empty one makes that.
  Status make() {
    std::error_code error;
    for (auto path = std::filesystem::absolute(directory_); !std::filesystem::exists(path, error);
         path = path.parent_path()) {
      made_.push_back(path);
    }
    std::filesystem::create_directories(directory_, error);
    if (error) return Error{directory_.string() + ": cannot make it: " + error.message()};
    const auto genesis = runtime::genesis_directory(directory_);
    if (std::filesystem::is_empty(directory_, error) && !error) {
      ours_ = std::filesystem::create_directory(genesis, error);
    }
    if (error) return Error{genesis.string() + ": cannot make it: " + error.message()};
    if (!ours_) return Error{directory_.string() + ": is not empty; choose another --dir"};
    return {};
  }
  void keep() { keep_ = true; }

 private:
  const std::filesystem::path directory_;
  std::vector<std::filesystem::path> made_;  ///< innermost first
  bool ours_ = false;
  bool keep_ = false;
};

struct Restored {
  runtime::ClusterConfig config;
  durability::CheckpointInfo from;
  durability::CheckpointInfo genesis;
  uint64_t objects = 0;
};

/// Nothing is written before all of the backup was read and found right.
Result<Restored> restore(const Program& program, const RestoreOptions& options) {
  auto backup = runtime::BackupFile::open(options.backup);
  if (!backup) return backup.error();
  const auto& manifest = (*backup)->manifest();
  const auto* service = find_service(program, manifest.service);
  if (service == nullptr) {
    return Error{options.backup + " is of service \"" + manifest.service +
                 "\", which this program does not have"};
  }
  auto config = wanted_cluster(options, manifest.service);
  if (!config) return config.error();
  config->id = runtime::draw_cluster_id();

  const auto secret = crypto::random_secret();
  const crypto::Digester digester(config->digest, secret);
  InlineScheduler scheduler;
  execution::Runner runner(digester, scheduler, service->make, wall_us);
  const auto refused = [&](const std::string& why) { return Error{options.backup + ": " + why}; };
  if (auto status = durability::check_tables(manifest, runner); !status) {
    return refused(status.message());
  }
  auto from = durability::begin_with_checkpoint((*backup)->disk(), manifest.checkpoint,
                                                durability::digester_of(manifest), runner);
  if (!from) return refused(from.message());
  if (auto status = check_clock(runner.last_time_us()); !status) return refused(status.message());
  config->genesis = runner.root();

  const std::filesystem::path directory = options.cluster.directory;
  NewDirectory made(directory);
  if (auto status = made.make(); !status) return Error{status.message()};
  auto disk = runtime::PosixDisk::open_directory(runtime::genesis_directory(directory));
  if (!disk) return disk.error();
  auto genesis = durability::write_genesis(**disk, config->id, digester, runner);
  if (!genesis) return genesis.error();
  // Last: where there is a cluster.toml, the rest is there too.
  if (options.local) mark_as_made_by_dev(directory);
  if (auto status = runtime::write_cluster(directory, *config, secret); !status) {
    return Error{status.message()};
  }
  made.keep();
  return Restored{std::move(*config), std::move(*from), std::move(*genesis), runner.objects()};
}

void print_json(const RestoreOptions& options, const Restored& restored) {
  const ordered_json all = {{"directory", options.cluster.directory},
                            {"cluster", restored.config.id},
                            {"objects", restored.objects},
                            {"state_root", restored.genesis.end.parts.state.hex()},
                            {"from",
                             {{"file", options.backup},
                              {"cluster", restored.from.header.owner.cluster},
                              {"number", restored.from.end.parts.number.value()},
                              {"token", restored.from.end.token.hex()},
                              {"state_root", restored.from.end.parts.state.hex()}}}};
  std::printf("%s\n", all.dump(2).c_str());
}

void print_text(const Program& program, const RestoreOptions& options, const Restored& restored) {
  const std::string& directory = options.cluster.directory;
  std::printf(
      "%s: a new cluster, %s, begins with the state after batch %llu of cluster %s: %llu objects.\n"
      "Sessions are not in it: clients begin new ones.\n",
      directory.c_str(), restored.config.id.c_str(),
      static_cast<unsigned long long>(restored.from.end.parts.number.value()),
      restored.from.header.owner.cluster.c_str(),
      static_cast<unsigned long long>(restored.objects));
  if (options.local) {
    std::string how = " --config " + options.cluster.config;
    if (options.cluster.u != 1) how += " --u " + std::to_string(options.cluster.u);
    if (options.layout != "split") how += " --layout " + options.layout;
    if (options.cluster.ports.service_port == 0) how += " --port 0";
    std::printf("Start it: %s dev --dir %s --durability sync --service %s%s\n",
                program.name.c_str(), directory.c_str(), restored.config.service.c_str(),
                how.c_str());
    return;
  }
  std::printf(
      "Copy cluster.toml, cluster.secret and the folder genesis to every machine, each NAME.key to "
      "its own, then run there:\n");
  print_serve_lines(program, restored.config);
  print_operator_line(program, restored.config);
}

int run_restore(const Program& program, const RestoreOptions& options) {
  const auto restored = restore(program, options);
  if (!restored) return fail(program, restored.message());
  if (options.as_json) {
    print_json(options, *restored);
  } else {
    print_text(program, options, *restored);
  }
  return 0;
}

}  // namespace

void add_restore(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<RestoreOptions>();
  auto* command =
      app.add_subcommand("restore", "Make a new cluster that begins with a backup's state");
  command->add_option("BACKUP", options->backup, "A file that `backup` wrote")->required();
  command->add_option("--host", options->cluster.hosts,
                      "Address of a machine; once for each verifier (primary-backup: executor)");
  command->add_flag("--local", options->local, "On this machine, to be started by `dev`");
  command->add_option("--layout", options->layout, "With --local: split or joint, as of `dev`")
      ->check(CLI::IsMember({"split", "joint"}))
      ->capture_default_str();
  add_init_options(*command, options->cluster);
  command->add_flag("--json", options->as_json, "What was done, as JSON");
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_restore(program, *options); };
  });
}

}  // namespace eve::cli
