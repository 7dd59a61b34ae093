#include "runtime/node.h"

#include <sys/resource.h>

#include <algorithm>

#include "runtime/etcd_arbiter.h"
#include "runtime/gateway.h"
#include "runtime/log.h"
#include "runtime/node_core.h"
#include "runtime/node_status.h"
#include "runtime/promise_file.h"
#include "runtime/status_server.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

std::optional<Address> role_of(const NodeConfig& node, Role role) {
  for (auto address : node.roles) {
    if (address.role == role) return address;
  }
  return std::nullopt;
}

/// The token that every replica starts with. A verifier needs it too, and so needs the service.
crypto::Digest genesis_of(const crypto::Digester& digester,
                          const execution::MakeService& make_service) {
  InlineScheduler scheduler;
  const execution::Runner runner(digester, scheduler, make_service, [] { return TimeUs{0}; });
  return wire::genesis_token(runner.empty_root(), digester);
}

/// As many connections as the system lets this process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct Node::Impl {
  NodeOptions options;
  std::unique_ptr<NodeCore> core;
  std::unique_ptr<ExecutorHost> executor;
  std::unique_ptr<PairHost> pair;
  std::unique_ptr<VerifierHost> verifier;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<ClientHost> client;
  std::unique_ptr<StatusServer> status_server;
  std::function<void()> on_ready;
  TimeUs started = 0;

  Status listen();
  Status make_executor();
  Status make_pair(Address address);
  Result<std::unique_ptr<Arbiter>> make_arbiter(RecordFile file);
  Status make_verifier();
  Status make_gateway();
  std::string status_text();
  std::filesystem::path state_directory() const { return options.directory / options.node; }
  ExecutorMemoryOptions executor_memory() const {
    return {state_directory(), core->cluster().id, options.durability, options.headroom_bytes,
            options.checkpoint};
  }
};

Status Node::Impl::listen() {
  raise_descriptor_limit();
  if (auto status = core->router().links().listen(); !status) return status;
  const auto& node = core->node();
  if (node.status_port == 0) return {};
  auto server = StatusServer::create(core->loop(), node.host, node.status_port,
                                     [this] { return status_text(); });
  if (!server) return server.status();
  status_server = std::move(*server);
  core->loop().add(*status_server);
  return {};
}

Status Node::Impl::make_executor() {
  const auto address = role_of(core->node(), Role::kExecutor);
  if (!address) return {};
  if (core->cluster().model.is_primary_backup()) return make_pair(*address);
  execution::ExecutorOptions wanted;
  wanted.model = core->cluster().model;
  wanted.index = address->index;
  wanted.clients = core->cluster().clients();
  auto made =
      ExecutorHost::create(core->loop(), core->router(), core->authenticator(), core->digester(),
                           wanted, options.threads, options.make_service, executor_memory());
  if (!made) return made.status();
  executor = std::move(*made);
  core->router().add(*address, *executor);
  return {};
}

Status Node::Impl::make_pair(Address address) {
  auto file = RecordFile::open(state_directory(), address);
  if (!file) return file.status();
  const PairConfig& config = core->cluster().pair;
  pair::ReplicaOptions wanted;
  wanted.index = address.index;
  wanted.clients = core->cluster().clients();
  wanted.record = file->record();
  wanted.arbiter = !config.endpoints.empty();
  wanted.silence_us = TimeUs{config.silence_ms} * 1'000;
  wanted.progress_us = TimeUs{config.progress_ms} * 1'000;
  auto arbiter = make_arbiter(std::move(*file));
  if (!arbiter) return arbiter.status();
  const auto make_stage = [this] {
    return std::make_unique<ExecutionStage>(core->loop(), core->digester(), options.threads,
                                            options.make_service,
                                            [this] { core->router().flush_links(); });
  };
  auto made =
      PairHost::create(core->loop(), core->router(), core->authenticator(), core->digester(),
                       wanted, make_stage, std::move(*arbiter), executor_memory());
  if (!made) return made.status();
  pair = std::move(*made);
  core->router().add(address, *pair);
  return {};
}

Result<std::unique_ptr<Arbiter>> Node::Impl::make_arbiter(RecordFile file) {
  const PairConfig& config = core->cluster().pair;
  if (config.endpoints.empty()) {
    return std::unique_ptr<Arbiter>(std::make_unique<OwnRecord>(core->loop(), std::move(file)));
  }
  std::vector<EtcdEndpoint> endpoints;
  for (const std::string& url : config.endpoints) {
    auto endpoint = parse_etcd_endpoint(url);
    if (!endpoint) return endpoint.error();
    endpoints.push_back(std::move(*endpoint));
  }
  return std::unique_ptr<Arbiter>(std::make_unique<EtcdArbiter>(
      core->loop(), std::move(endpoints), "/eve/" + core->cluster().id + "/pair", std::move(file)));
}

Status Node::Impl::make_verifier() {
  const auto address = role_of(core->node(), Role::kVerifier);
  if (!address) return {};
  verification::VerifierOptions wanted;
  wanted.model = core->cluster().model;
  wanted.index = address->index;
  wanted.genesis = genesis_of(core->digester(), options.make_service);
  auto memory = open_verifier_memory(
      {state_directory(), core->cluster().id, options.durability, options.headroom_bytes}, wanted,
      core->digester());
  if (!memory) return memory.status();
  verifier = std::make_unique<VerifierHost>(core->loop(), core->router(), core->authenticator(),
                                            core->digester(), std::move(*memory));
  core->router().add(*address, *verifier);
  return {};
}

Status Node::Impl::make_gateway() {
  const auto& node = core->node();
  const auto address = role_of(node, Role::kClient);
  if (node.service_port == 0) {
    if (node.roles.size() > (address ? 1 : 0)) return {};
    return Error{"node \"" + node.name +
                 "\" has no service_port: it is for programs that use eve::Client"};
  }
  if (options.front_end == nullptr) {
    return Error{"node \"" + node.name + "\" is a gateway, but service \"" +
                 core->cluster().service + "\" has no protocol of its own: remove service_port"};
  }
  auto made =
      Gateway::create(core->loop(), node.host, node.service_port, *options.front_end, [this] {
        if (on_ready) on_ready();
      });
  if (!made) return made.status();
  gateway = std::move(*made);
  client::SessionOptions wanted;
  wanted.model = core->cluster().model;
  wanted.client = address->index;
  const auto random = crypto::random_secret();
  std::memcpy(&wanted.nonce, random.data(), sizeof wanted.nonce);
  client = std::make_unique<ClientHost>(core->router(), core->authenticator(), core->digester(),
                                        wanted, *gateway);
  gateway->connect(*client);
  core->router().add(*address, *client);
  core->loop().add(*gateway);
  return {};
}

std::string Node::Impl::status_text() {
  return status_json(*core,
                     {executor.get(), pair.get(), verifier.get(), client.get(), gateway.get()},
                     core->loop().now() - started);
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::create(NodeOptions options) {
  auto impl = std::make_unique<Impl>();
  auto core = NodeCore::create(options.cluster, options.node, options.directory);
  if (!core) return core.error();
  impl->core = std::move(*core);
  impl->core->router().set_rewrite(std::move(options.rewrite));
  impl->options = std::move(options);
  const auto& node = impl->core->node();
  const bool replica = role_of(node, Role::kExecutor) || role_of(node, Role::kVerifier);
  if (replica && !impl->options.make_service) {
    return Error{"node \"" + node.name + "\" plays an executor or a verifier and needs a service"};
  }
  impl->options.threads = std::max<size_t>(impl->options.threads, 1);
  // Ports first: whoever finds them taken leaves no marks on disk. Gateways first among the roles:
  // see Router::add.
  if (auto status = impl->listen(); !status) return Error{status.message()};
  if (auto status = impl->make_gateway(); !status) return Error{status.message()};
  if (auto status = impl->make_executor(); !status) return Error{status.message()};
  if (auto status = impl->make_verifier(); !status) return Error{status.message()};
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

void Node::run(const std::function<void()>& on_ready) {
  auto& loop = impl_->core->loop();
  impl_->on_ready = on_ready;
  impl_->started = loop.now();
  log(LogLevel::kInfo, "serving", {{"node", impl_->core->node().name}});
  const std::array<Host*, 4> hosts = {impl_->client.get(), impl_->executor.get(), impl_->pair.get(),
                                      impl_->verifier.get()};
  for (auto* host : hosts) {
    if (host != nullptr) host->start(loop.now());
  }
  if (!impl_->gateway && on_ready) on_ready();
  loop.run();
  log(LogLevel::kInfo, "stopped", {{"node", impl_->core->node().name}});
}

void Node::stop() {
  impl_->core->loop().stop();
}

}  // namespace eve::runtime
