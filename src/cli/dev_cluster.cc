#include "cli/dev_cluster.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/node_process.h"
#include "cli/what_is_left.h"
#include "runtime/directory_lock.h"
#include "runtime/http_get.h"
#include "runtime/node.h"

namespace eve::cli {
namespace {

constexpr int kStartTimeoutMs = 30'000;
constexpr int kStopGraceMs = 5'000;
constexpr int kAskMs = 200;
/// Marks a folder as one that `dev` made and may make anew.
constexpr const char* kMarker = "made-by-dev";
/// What is in it is not to be thrown away.
constexpr const char* kLasting = "kept-by-dev";

size_t worker_threads(const DevOptions& options, const FaultModel& model) {
  if (options.threads != 0) return options.threads;
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::max<size_t>(1, cores / model.executors());
}

/// Whether one that joined later has its port: two cannot run.
bool gave_way(const runtime::ClusterConfig& config, const runtime::NodeConfig& node) {
  const auto epoch = runtime::joined_in(config.model, node);
  return std::any_of(config.joined.begin(), config.joined.end(), [&](const auto& later) {
    return later.host == node.host && later.port == node.port &&
           runtime::joined_in(config.model, later) > epoch;
  });
}

Result<runtime::ClusterConfig> new_cluster_of(const Program& program, const DevOptions& options) {
  const auto* service = find_service(program, options.service);
  if (service == nullptr) return Error{"unknown service \"" + options.service + "\""};
  if (options.layout != "split" && options.layout != "joint") {
    return Error{"unknown --layout \"" + options.layout + "\": split or joint"};
  }
  auto model = fault_model(options.config, options.u);
  if (!model) return model.error();
  const auto layout = options.layout == "split" ? Layout::kSplit : Layout::kJoint;
  const LocalPorts ports{service->make_front_end ? options.port : uint16_t{0}};
  auto config = local_layout(*model, layout, ports, options.service);
  if (!config) return config;
  if (auto status = apply_pair_options(options.pair, *config); !status) {
    return Error{status.message()};
  }
  return config;
}

/// What a cluster cannot change: options of `dev`, with values as one would give them.
using Shape = std::vector<std::pair<const char*, std::string>>;

std::string joined(std::vector<std::string> endpoints) {
  std::sort(endpoints.begin(), endpoints.end());
  std::string all;
  for (const auto& endpoint : endpoints) all += (all.empty() ? "" : ", ") + endpoint;
  return all.empty() ? "(none)" : all;
}

Shape shape_of(const DevOptions& options, const ServiceEntry& service) {
  return {{"--config", options.config},
          {"--u", std::to_string(options.u)},
          {"--service", options.service},
          {"--layout", options.layout},
          {"--port", std::to_string(service.make_front_end ? options.port : 0)},
          {"--arbiter", options.pair.arbiter},
          {"--endpoint", joined(options.pair.endpoints)},
          {"--silence-ms", std::to_string(options.pair.silence_ms)}};
}

Shape shape_of(const runtime::ClusterConfig& config) {
  const auto& model = config.model;
  const bool split = config.nodes.front().name == to_string(Address::executor(0));
  uint16_t port = 0;
  for (const auto& node : config.nodes) port = std::max(port, node.service_port);
  return {{"--config", model.is_primary_backup() ? "primary-backup"
                       : model.byzantine()       ? "bft"
                                                 : "crash"},
          {"--u", std::to_string(model.u())},
          {"--service", config.service},
          {"--layout", split ? "split" : "joint"},
          {"--port", std::to_string(port)},
          {"--arbiter", config.pair.endpoints.empty() ? "none" : "etcd"},
          {"--endpoint", joined(config.pair.endpoints)},
          {"--silence-ms", std::to_string(config.pair.silence_ms)}};
}

}  // namespace

void mark_as_made_by_dev(const std::filesystem::path& directory) {
  std::ofstream(directory / kMarker) << "`dev` makes this folder anew at every start.\n";
  std::ofstream(directory / kLasting) << "But for what its nodes keep.\n";
}

void unmark_as_made_by_dev(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const char* mark : {kMarker, kLasting}) std::filesystem::remove(directory / mark, ignored);
}

Result<std::unique_ptr<DevCluster>> DevCluster::start(const Program& program,
                                                      const DevOptions& options) {
  std::unique_ptr<DevCluster> cluster(new DevCluster);
  if (auto status = cluster->prepare(program, options); !status) return Error{status.message()};
  if (auto status = cluster->start_nodes(options); !status) return Error{status.message()};
  if (!options.nodes_out.empty()) {
    if (auto status = cluster->write_nodes(options.nodes_out); !status) {
      return Error{status.message()};
    }
  }
  return cluster;
}

Status DevCluster::prepare(const Program& program, const DevOptions& options) {
  const auto durability = parse_durability(options.durability);
  if (!durability) return durability.status();
  durability_ = options.durability;
  lasting_ = *durability != durability::Durability::kMemory;
  if (auto status = take_directory(options.directory); !status) return status;
  if (goes_on_) return go_on(program, options);
  auto config = new_cluster_of(program, options);
  if (!config) return config.status();
  config_ = std::move(*config);
  if (auto status = empty_directory(); !status) return status;
  if (auto status = runtime::write_cluster(directory_, config_); !status) return status;
  auto written = runtime::read_cluster(directory_ / "cluster.toml");
  if (!written) return written.status();
  config_ = std::move(*written);
  return {};
}

// The cluster that an earlier `dev` made here, with what it kept.
Status DevCluster::go_on(const Program& program, const DevOptions& options) {
  auto found = runtime::read_cluster(directory_ / "cluster.toml");
  if (!found) return found.status();
  const auto* service = find_service(program, found->service);
  if (service == nullptr) {
    return Error{directory_.string() + " holds a cluster of service \"" + found->service +
                 "\", which this program does not have"};
  }
  const auto made = shape_of(*found);
  const auto wanted = shape_of(options, *service);
  for (size_t i = 0; i < made.size(); ++i) {
    const auto& [option, value] = made[i];
    if (!options.given(option) || wanted[i].second == value) continue;
    return Error{directory_.string() + " holds a cluster with " + option + " " + value + ", not " +
                 wanted[i].second +
                 ", and goes on as it was made: leave the option out, or choose "
                 "another --dir"};
  }
  config_ = std::move(*found);
  return {};
}

Status DevCluster::take_directory(const std::string& wanted) {
  std::error_code error;
  if (wanted.empty()) {
    std::string name = std::filesystem::temp_directory_path() / "eve-dev-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) return Error{"cannot make a folder " + name};
    directory_ = name;
    temporary_ = true;
    return {};
  }
  directory_ = wanted;
  std::filesystem::create_directories(directory_, error);
  if (error) return Error{"cannot make " + wanted + ": " + error.message()};
  if (!std::filesystem::is_empty(directory_, error) &&
      !std::filesystem::exists(directory_ / kMarker)) {
    return Error{wanted + " holds files that `dev` did not make; choose another --dir"};
  }
  auto lock = runtime::lock_directory(directory_, "`dev`");
  if (!lock) return lock.status();
  lock_ = std::move(*lock);
  const bool kept = std::filesystem::exists(directory_ / kLasting);
  if (kept && !lasting_) {
    return Error{wanted +
                 " holds a cluster that keeps its state; start it with --durability sync, " +
                 "choose another --dir, or remove it"};
  }
  goes_on_ = kept && std::filesystem::exists(directory_ / "cluster.toml");
  return {};
}

// With durability "memory" nothing of an earlier run is left to go on from: a new cluster. The
// folder itself stays: it carries the lock.
Status DevCluster::empty_directory() {
  if (temporary_) return {};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    std::filesystem::remove_all(entry.path(), error);
  }
  if (error) return Error{"cannot empty " + directory_.string() + ": " + error.message()};
  std::ofstream(directory_ / kMarker) << "`dev` makes this folder anew at every start.\n";
  if (lasting_) std::ofstream(directory_ / kLasting) << "But for what its nodes keep.\n";
  return {};
}

Status DevCluster::start_nodes(const DevOptions& options) {
  const auto threads = std::to_string(worker_threads(options, config_.model));
  const auto cluster = (directory_ / "cluster.toml").string();
  const auto checkpoint_mib = std::to_string(options.checkpoint_mib);
  for (const auto* node : config_.everybody()) {
    if ((node->port == 0 && node->service_port == 0) || gave_way(config_, *node)) continue;
    auto child = start_self(
        node->name, {"eve-" + node->name, "serve", "--cluster", cluster, "--node", node->name,
                     "--threads", threads, "--durability", options.durability, "--checkpoint-mib",
                     checkpoint_mib, "--headroom", std::to_string(options.headroom_mib)});
    if (!child) return child.status();
    children_.push_back(*child);
  }
  for (auto& child : children_) {
    if (auto status = wait_ready(child, kStartTimeoutMs); !status) return status;
  }
  return {};
}

Status DevCluster::write_nodes(const std::string& file) const {
  nlohmann::json nodes = nlohmann::json::array();
  for (const auto& child : children_) {
    const auto& node = *config_.find(child.name);
    nlohmann::json roles = nlohmann::json::array();
    for (auto role : node.roles) roles.push_back(to_string(role));
    nodes.push_back({{"name", node.name},
                     {"roles", roles},
                     {"pid", child.pid},
                     {"port", node.port},
                     {"status_port", node.status_port},
                     {"service_port", node.service_port}});
  }
  const nlohmann::json all = {{"cluster", (directory_ / "cluster.toml").string()},
                              {"nodes", nodes}};
  // Readers poll for the file: it appears whole.
  const auto temporary = file + ".new";
  std::ofstream out(temporary);
  out << all.dump(2) << "\n";
  out.close();
  std::error_code error;
  if (out.fail() || (std::filesystem::rename(temporary, file, error), error)) {
    return Error{"cannot write " + file};
  }
  return {};
}

std::string DevCluster::ready_line() const {
  const std::string cluster = (directory_ / "cluster.toml").string();
  for (const auto& node : config_.nodes) {
    if (node.service_port != 0) {
      return "ready: " + config_.service + " on 127.0.0.1:" + std::to_string(node.service_port) +
             "\ncluster: " + cluster;
    }
  }
  return "ready: " + config_.service + " for node \"client\" of " + cluster;
}

bool DevCluster::answers(const runtime::NodeConfig& node) const {
  return runtime::http_get(node.host, node.status_port, "/healthz", kAskMs).ok();
}

std::vector<std::string> DevCluster::who_ended() {
  std::vector<std::string> lines;
  for (const auto& ended : reap_ended(children_)) {
    ended_.insert(ended.name);
    std::vector<const runtime::NodeConfig*> down;
    for (const auto& name : ended_) {
      const auto* node = config_.find(name);
      if (name == ended.name || !answers(*node)) down.push_back(node);
    }
    lines.push_back(ended.name + " (pid " + std::to_string(ended.pid) + ") " +
                    how_it_ended(ended.status) +
                    "; what it had to say is above, marked pid=" + std::to_string(ended.pid) +
                    ". " + what_is_left(config_, down) + " To start it again: serve --cluster " +
                    (directory_ / "cluster.toml").string() + " --node " + ended.name +
                    " --durability " + durability_);
  }
  return lines;
}

void DevCluster::stop() {
  stop_all(children_, kStopGraceMs);
}

DevCluster::~DevCluster() {
  stop();
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace eve::cli
