// `backup`: a copy of the replicated state in one file (docs/backup.md).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/scheduler.h"
#include "cli/ask_nodes.h"
#include "cli/backup_survey.h"
#include "cli/backup_witness.h"
#include "cli/commands.h"
#include "cli/node_words.h"
#include "durability/checkpoint_reader.h"
#include "runtime/backup_file.h"
#include "runtime/http_get.h"
#include "runtime/identity.h"
#include "runtime/node.h"
#include "runtime/posix_disk.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using std::filesystem::path;
using Clock = std::chrono::steady_clock;

constexpr int kAskMs = 5'000;
constexpr auto kPollEvery = std::chrono::milliseconds(50);
constexpr int kAskAgain = 20;
constexpr auto kLookEvery = std::chrono::milliseconds(500);
/// For a batch that no more nodes say to have run than may lie. A running cluster commits one that
/// was run in much less.
constexpr auto kPatience = std::chrono::seconds(5);

struct BackupOptions {
  std::string file;
  std::string cluster;
  std::string node;
  std::string directory;
  uint32_t timeout_s = 600;
  bool unchecked = false;
  bool as_json = false;
};

struct Taken {
  durability::CheckpointInfo info;
  Witnesses::Count others;
  bool running = false;      ///< the node was
  bool leads_alone = false;  ///< of primary-backup: the other replica is in nobody's way
  double seconds = 0;
  std::map<std::string, std::string> missing;  ///< executors that could not say what they have run
  std::string note;                            ///< for a person; mostly none
};

class Backup {
 public:
  Backup(const Program& program, const BackupOptions& options)
      : program_(program), options_(options) {}

  Result<Taken> take();
  const runtime::ClusterConfig& cluster() const { return cluster_; }

 private:
  Status prepare();
  Status describe();
  Result<json> ask(const runtime::NodeConfig& node, const std::string& what) const;
  void look_around();
  Status check_seat() const;
  /// `leads`: this node does, of a pair.
  Status find_wanted(uint64_t committed_here, bool leads);
  Status find_wanted_of_pair(uint64_t committed_here, bool leads);
  void look_again(uint64_t committed_here);
  std::string why_late(uint64_t committed_here) const;
  std::string why_not(const Witnesses::Count& others) const;
  Result<Taken> from_running(uint64_t committed_here, bool leads);
  Result<Taken> from_stopped();
  Result<std::string> wait_for_checkpoint();
  Result<Taken> copy(const std::string& name, runtime::BackupFault& fault);
  void hear(uint64_t number);
  void hear_enough(uint64_t number);

  const Program& program_;
  const BackupOptions& options_;
  const Clock::time_point begun_ = Clock::now();
  runtime::ClusterConfig cluster_;
  const runtime::NodeConfig* node_ = nullptr;
  path folder_;  ///< where the node's checkpoints are
  Statuses statuses_;
  std::optional<MembersSaid> members_;              ///< nullopt: too few say who they are
  std::vector<const runtime::NodeConfig*> others_;  ///< that hold an executor's seat, too
  std::set<std::string> confirmed_;                 ///< of those: who answered, and was it
  Reach reach_;
  uint64_t wanted_ = 0;  ///< what was acknowledged before the backup is in the state after it
  Clock::time_point looked_;
  std::string note_;
  durability::BackupManifest manifest_;
  Witnesses witnesses_;
  bool running_ = false;
  bool leads_alone_ = false;
};

const Address* executor_of(const runtime::NodeConfig& node) {
  for (const auto& role : node.roles) {
    if (role.role == Role::kExecutor) return &role;
  }
  return nullptr;
}

Status Backup::prepare() {
  auto cluster = runtime::read_cluster(options_.cluster);
  if (!cluster) return cluster.status();
  cluster_ = std::move(*cluster);
  node_ = cluster_.find(options_.node);
  if (node_ == nullptr) return Error{options_.cluster + " has no node \"" + options_.node + "\""};
  const Address* executor = executor_of(*node_);
  if (executor == nullptr) {
    return Error{"\"" + options_.node + "\" plays no executor: the state is with those"};
  }
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(options_.file, error))) {
    return Error{options_.file + ": is there already; it is not overwritten"};
  }
  const path directory = options_.directory.empty()
                             ? std::filesystem::absolute(options_.cluster).parent_path()
                             : path(options_.directory);
  folder_ = directory / options_.node / to_string(*executor);
  if (!std::filesystem::is_directory(folder_, error)) {
    return Error{folder_.string() + " is not there: run this on the machine of \"" + options_.node +
                 "\", with its --dir"};
  }
  manifest_.algorithm = cluster_.digest;
  if (cluster_.digest == crypto::DigestAlgorithm::kXxh3) {
    const auto secret = runtime::read_cluster_secret(directory);
    if (!secret) return secret.status();
    manifest_.secret = *secret;
  }
  return describe();
}

/// What the service's state is made of, so that it is restored by what can have it.
Status Backup::describe() {
  const auto* service = find_service(program_, cluster_.service);
  if (service == nullptr) {
    return Error{options_.cluster + " is for service \"" + cluster_.service +
                 "\", which this program does not have"};
  }
  manifest_.service = cluster_.service;
  const crypto::Digester digester(manifest_.algorithm, manifest_.secret);
  InlineScheduler scheduler;
  const execution::Runner runner(digester, scheduler, service->make, [] { return TimeUs{0}; });
  for (const auto& container : runner.containers()) manifest_.tables.emplace_back(container.name);
  return {};
}

Result<json> Backup::ask(const runtime::NodeConfig& node, const std::string& what) const {
  auto body = runtime::http_get(node.host, node.status_port, what, kAskMs);
  if (!body) return Error{node.name + ": " + body.message()};
  auto parsed = parse_words(*body);
  if (!parsed.is_object()) return Error{node.name + ": answered no JSON"};
  return parsed;
}

/// Who answers, who holds a seat, and how far they are.
void Backup::look_around() {
  looked_ = Clock::now();
  const auto worth = worth_asking(cluster_, *node_);
  statuses_.clear();
  for (const auto* node : worth) {
    auto status = ask_status(*node, kAskMs);
    if (!status.contains("error")) statuses_[node->name] = std::move(status);
  }
  if (auto now = members_now(cluster_, statuses_)) members_ = std::move(now);
  others_.clear();
  if (!members_) return;
  const auto& seated = members_->executors;
  for (const auto* node : worth) {
    const bool sits = std::find(seated.begin(), seated.end(), node->name) != seated.end();
    if (sits && node != node_) others_.push_back(node);
  }
}

/// Who was replaced has what there was then.
Status Backup::check_seat() const {
  if (!members_ || options_.unchecked) return {};
  const auto& seated = members_->executors;
  if (std::find(seated.begin(), seated.end(), node_->name) != seated.end()) return {};
  std::string names;
  for (const auto& name : seated) names += (names.empty() ? "" : ", ") + name;
  return Error{"\"" + options_.node + "\" holds no executor's seat in epoch " +
               std::to_string(members_->epoch) + ": back up one of those that do, " + names};
}

Result<Taken> Backup::take() {
  if (auto status = prepare(); !status) return Error{status.message()};
  look_around();
  if (auto status = check_seat(); !status) return Error{status.message()};
  const auto found = statuses_.find(node_->name);
  if (found == statuses_.end()) return from_stopped();
  running_ = true;
  const json& here = found->second;
  const json pair = part_of(here, "pair");
  const bool leads = says(pair, "leading", true);
  leads_alone_ = leads && !says(pair, "both_in_sync", true);
  const json executor = part_of(here, "executor");
  if (!executor.contains("checkpoints")) {
    return Error{"\"" + options_.node + "\" keeps nothing: start it with --durability sync"};
  }
  return from_running(number_of(executor, "committed"), leads);
}

Status Backup::find_wanted_of_pair(uint64_t committed_here, bool leads) {
  std::multiset<uint64_t> committed = {committed_here};
  for (const auto* other : others_) {
    const auto status = statuses_.find(other->name);
    if (status == statuses_.end()) continue;
    committed.insert(number_of(part_of(status->second, "executor"), "committed"));
    leads = leads || says(part_of(status->second, "pair"), "leading", true);
  }
  wanted_ = *committed.rbegin();
  if (options_.unchecked) return {};
  // One that cannot be asked may be the primary, and have answered more than this one knows of;
  // those that have just started may have answered more than they know to be committed.
  const bool asked = committed.size() > 1 || leads_alone_;
  const std::string why = !asked   ? why_not_believed_of_pair({}, false)
                          : !leads ? "neither replica leads now"
                                   : "";
  if (why.empty()) return {};
  return Error{why + ". Wait for one that leads (`status`), and try again"};
}

Status Backup::find_wanted(uint64_t committed_here, bool leads) {
  const auto& model = cluster_.model;
  if (model.is_primary_backup()) {
    if (auto status = find_wanted_of_pair(committed_here, leads); !status) return status;
  } else if (members_) {
    reach_ = reach(model, *members_, statuses_);
    wanted_ = options_.unchecked ? reach_.committed : reach_.through;
    if (!reach_.known && !options_.unchecked) {
      return Error{list_of(reach_.missing) +
                   ": what those had answered may be more than the others "
                   "know of, who are too few (" +
                   std::to_string(model.u() + 1) +
                   " executors have to say what they have run). Start them, or wait for them "
                   "(`wait`); or take what \"" +
                   options_.node + "\" has, with --unchecked"};
    }
  } else if (!options_.unchecked) {
    return Error{"too few nodes say who the members are (" + std::to_string(model.vouched()) +
                 " have to say the same): start the others (`status`); or take what \"" +
                 options_.node + "\" has, with --unchecked"};
  }
  if (wanted_ == 0 && committed_here == 0) {
    return Error{"nothing has been written to this cluster yet"};
  }
  wanted_ = std::max(wanted_, uint64_t{1});
  return {};
}

/// While the node has not committed what is wanted. It may be less by now: what was run, and
/// answered to nobody, may have been undone.
void Backup::look_again(uint64_t committed_here) {
  const bool patient = Clock::now() - begun_ < kPatience;
  if (options_.unchecked) {
    if (patient) return;
    note_ = "others have committed batch " + std::to_string(wanted_) + ", which is not in it";
    wanted_ = std::max(committed_here, uint64_t{1});
    return;
  }
  if (cluster_.model.is_primary_backup() || Clock::now() - looked_ < kLookEvery) return;
  look_around();
  if (!members_) return;
  const auto now = reach(cluster_.model, *members_, statuses_);
  if (!now.known) return;
  reach_ = now;
  wanted_ = std::min(wanted_, std::max(reach_.through, uint64_t{1}));
  const bool doubtful = reach_.committed < wanted_ && !reach_.vouched;
  if (!doubtful || patient) return;
  note_ = "an executor says that it has run batch " + std::to_string(wanted_) +
          ", which no other one confirms and nobody has committed: it may lie (`status`)";
  wanted_ = std::max(reach_.committed, uint64_t{1});
}

std::string Backup::why_late(uint64_t committed_here) const {
  const std::string after = " after " + std::to_string(options_.timeout_s) + " s";
  const std::string wanted = "batch " + std::to_string(wanted_);
  if (committed_here >= wanted_) {
    return "\"" + options_.node + "\" had no checkpoint of " + wanted + after +
           ": is its disk slow (`status`)? --timeout gives it longer";
  }
  return "\"" + options_.node + "\" had no checkpoint of " + wanted +
         ", which clients may have the answers of, and had committed batch " +
         std::to_string(committed_here) + after +
         ": is it behind, or does the cluster stand still (`status`)? --timeout gives it longer, "
         "--unchecked takes what it has";
}

/// Asks the others about a batch, unless they have told already.
void Backup::hear(uint64_t number) {
  if (number == 0) return;
  for (const auto* other : others_) {
    if (witnesses_.heard(other->name, number)) continue;
    // /batch does not say who answers.
    if (!confirmed_.contains(other->name)) {
      const bool is_it =
          statuses_.contains(other->name) || !ask_status(*other, kAskMs).contains("error");
      if (!is_it) continue;
      confirmed_.insert(other->name);
    }
    const auto batch = ask(*other, "/batch/" + std::to_string(number));
    if (!batch || number_of(*batch, "number") != number) continue;
    witnesses_.said(other->name, number, text_of(*batch, "token"), text_of(*batch, "state_root"));
  }
}

/// Others may be a moment behind the one that has taken the checkpoint.
void Backup::hear_enough(uint64_t number) {
  const size_t wanted =
      cluster_.model.is_primary_backup() ? (leads_alone_ ? 0 : 1) : cluster_.model.r();
  for (int attempt = 0; attempt < kAskAgain; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kPollEvery);
    hear(number);
    const auto heard = std::count_if(others_.begin(), others_.end(), [&](const auto* other) {
      return witnesses_.heard(other->name, number);
    });
    if (static_cast<size_t>(heard) >= wanted) return;
  }
}

/// The name of one that is not older than what is wanted.
Result<std::string> Backup::wait_for_checkpoint() {
  std::optional<uint64_t> failed_before;
  uint64_t committed = 0;
  while (Clock::now() - begun_ < std::chrono::seconds(options_.timeout_s)) {
    const auto status = ask(*node_, "/status");
    if (!status) return Error{"the node does not answer any more: " + status.message()};
    const json executor = part_of(*status, "executor");
    const json now = part_of(executor, "checkpoints");
    committed = number_of(executor, "committed");
    const auto number = number_of(now, "last_number");
    const auto under_way = number_of(now, "under_way");
    const auto failed = number_of(now, "failed");
    hear(under_way);
    if (number >= wanted_) {
      hear_enough(number);
      return text_of(now, "last_name");
    }
    if (failed > failed_before.value_or(failed)) {
      return Error{"the node could not take a checkpoint: " + text_of(now, "trouble")};
    }
    failed_before = failed;
    if (committed < wanted_) look_again(committed);
    if (committed >= wanted_ && under_way == 0) {
      const auto asked = runtime::http_post(node_->host, node_->status_port, "/checkpoint", kAskMs);
      if (!asked) return Error{options_.node + ": " + asked.message()};
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  return Error{why_late(committed)};
}

std::string Backup::why_not(const Witnesses::Count& others) const {
  if (cluster_.model.is_primary_backup()) return why_not_believed_of_pair(others, leads_alone_);
  return why_not_believed(others, cluster_.model.r());
}

Result<Taken> Backup::copy(const std::string& name, runtime::BackupFault& fault) {
  if (durability::parse_checkpoint_name(name) == std::nullopt) {
    return Error{"\"" + options_.node + "\" names a file that is no checkpoint"};
  }
  manifest_.taken_us = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  const auto believe = [&](const durability::CheckpointInfo& info) -> Status {
    const auto& end = info.end;
    const auto why =
        why_not(witnesses_.count(end.parts.number.value(), end.token, end.parts.state));
    if (why.empty() || options_.unchecked) return {};
    return Error{"batch " + std::to_string(end.parts.number.value()) + ": " + why +
                 ". Compare the nodes (`status`), back up another one; or take it as it is, with "
                 "--unchecked"};
  };
  auto info = runtime::write_backup(folder_ / name, options_.file, manifest_, believe, &fault);
  if (!info) return info.error();
  Taken taken{std::move(*info), {}, running_, leads_alone_, 0, reach_.missing, note_};
  const auto& end = taken.info.end;
  taken.others = witnesses_.count(end.parts.number.value(), end.token, end.parts.state);
  taken.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  return taken;
}

Result<Taken> Backup::from_running(uint64_t committed_here, bool leads) {
  if (auto status = find_wanted(committed_here, leads); !status) return Error{status.message()};
  for (;;) {
    const auto name = wait_for_checkpoint();
    if (!name) return name.error();
    auto fault = runtime::BackupFault::kOther;
    auto taken = copy(*name, fault);
    // A newer one has taken its place.
    if (!taken && fault == runtime::BackupFault::kNotFound &&
        Clock::now() - begun_ < std::chrono::seconds(options_.timeout_s)) {
      std::this_thread::sleep_for(kPollEvery);
      continue;
    }
    return taken;
  }
}

Result<Taken> Backup::from_stopped() {
  const auto disk = runtime::PosixDisk::look_at(folder_);  // locks it: it is not running
  if (!disk) {
    return Error{"\"" + options_.node +
                 "\" does not answer at its status port, but runs: " + disk.message()};
  }
  const auto files = durability::list_checkpoints(**disk);
  if (!files) return files.error();
  if (files->whole.empty()) {
    return Error{"\"" + options_.node +
                 "\" is stopped and has no checkpoint on its disk: start it "
                 "(it needs no other node for this), and back it up then"};
  }
  const auto name = durability::checkpoint_name(files->whole.front());
  const auto info = durability::inspect_checkpoint(**disk, name);
  if (!info) return info.error();
  hear(info->end.parts.number.value());
  auto fault = runtime::BackupFault::kOther;
  return copy(name, fault);
}

ordered_json to_json(const BackupOptions& options, const Taken& taken) {
  const auto& end = taken.info.end;
  return {{"file", options.file},
          {"cluster", taken.info.header.owner.cluster},
          {"node", options.node},
          {"node_was_running", taken.running},
          {"number", end.parts.number.value()},
          {"token", end.token.hex()},
          {"state_root", end.parts.state.hex()},
          {"checkpoint", taken.info.name},
          {"bytes", taken.info.file_bytes},
          {"agree", taken.others.agree},
          {"differ", taken.others.differ},
          {"leads_alone", taken.leads_alone},
          {"missing", taken.missing},
          {"note", taken.note},
          {"seconds", taken.seconds}};
}

void print_text(const BackupOptions& options, const Taken& taken) {
  const auto& end = taken.info.end;
  std::printf("%s: the state after batch %llu of cluster %s, %llu bytes, in %.1f s; whole\n",
              options.file.c_str(), static_cast<unsigned long long>(end.parts.number.value()),
              taken.info.header.owner.cluster.c_str(),
              static_cast<unsigned long long>(taken.info.file_bytes), taken.seconds);
  std::printf("token %s, state root %s; the same on %zu executors\n", end.token.hex().c_str(),
              end.parts.state.hex().c_str(), taken.others.agree.size() + 1);
  if (taken.leads_alone && taken.others.agree.empty()) {
    std::printf("%s leads alone: what it has is what counts\n", options.node.c_str());
  }
  for (const auto& node : taken.others.differ) std::printf("! %s differs\n", node.c_str());
  for (const auto& [node, why] : taken.missing) {
    std::printf("! %s %s\n", node.c_str(), why.c_str());
  }
  if (!taken.note.empty()) std::printf("! %s\n", taken.note.c_str());
  if (!taken.running) {
    std::printf("! %s is stopped: what its log holds beyond that batch is not in the backup\n",
                options.node.c_str());
  }
}

int run_backup(const Program& program, const BackupOptions& options) {
  Backup backup(program, options);
  const auto taken = backup.take();
  if (!taken) return fail(program, taken.message());
  if (options.as_json) {
    std::printf("%s\n", to_json(options, *taken).dump(2).c_str());
  } else {
    print_text(options, *taken);
  }
  return 0;
}

}  // namespace

void add_backup(CLI::App& app, const Program& program, Action& action) {
  auto options = std::make_shared<BackupOptions>();
  auto* command =
      app.add_subcommand("backup", "Copy the state of a node, running or stopped, into one file");
  command->add_option("FILE", options->file, "What to write; must not be there")->required();
  command->add_option("--cluster", options->cluster, "cluster.toml")->required();
  command->add_option("--node", options->node, "An executor on this machine")->required();
  command->add_option("--dir", options->directory,
                      "Where its state is, as of `serve` (default: the folder of cluster.toml)");
  command->add_option("--timeout", options->timeout_s, "Seconds to wait for the node's checkpoint")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->add_flag("--unchecked", options->unchecked,
                    "Also where too few other executors say that they have the same state");
  command->add_flag("--json", options->as_json, "What was done, as JSON");
  command->callback([&program, &action, options] {
    action = [&program, options] { return run_backup(program, *options); };
  });
}

}  // namespace eve::cli
