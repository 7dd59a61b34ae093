#include "runtime/node.h"

#include <sys/resource.h>

#include <algorithm>

#include "runtime/etcd_arbiter.h"
#include "runtime/gateway.h"
#include "runtime/genesis.h"
#include "runtime/log.h"
#include "runtime/make_gate.h"
#include "runtime/newcomers.h"
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
  std::unique_ptr<MemberGate> executor_gate;
  std::unique_ptr<MemberGate> verifier_gate;
  std::unique_ptr<MemberGate> client_gate;
  std::unique_ptr<ExecutorHost> executor;
  std::unique_ptr<PairHost> pair;
  std::unique_ptr<VerifierHost> verifier;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<ClientHost> client;
  std::unique_ptr<StatusServer> status_server;
  std::function<void()> on_ready;
  TimeUs started = 0;

  Status listen();
  Result<std::unique_ptr<MemberGate>> make_gate(Address node, const crypto::Digest& genesis);
  Status make_executor();
  Status seat_executor(const Seating& seating);
  Status make_pair(Address address);
  Result<std::unique_ptr<Arbiter>> make_arbiter(RecordFile file);
  Status make_verifier();
  Status seat_verifier(const Seating& seating);
  Status own_seat(const MemberGate& gate, Address role);
  Status make_gateway();
  std::string status_text();
  std::filesystem::path state_directory() const { return options.directory / options.node; }
  ExecutorMemoryOptions executor_memory() const {
    return {state_directory(), core->cluster().id, options.durability, options.headroom_bytes,
            options.checkpoint, core->cluster().genesis,
            // Who joins later takes over a state of later.
            joined_in(core->cluster().model, core->node()) == 0
                ? begin_of(core->cluster(), options.directory)
                : Begin()};
  }
};

Status Node::Impl::listen() {
  raise_descriptor_limit();
  if (auto status = core->router().links().listen(); !status) return status;
  const auto& node = core->node();
  if (node.status_port == 0) return {};
  const StatusAnswers answers{
      [this] { return status_text(); },
      [this] { return runtime::want_checkpoint(executor.get(), pair.get()); },
      [this](std::string_view number) { return show_batch(executor.get(), pair.get(), number); }};
  auto server = StatusServer::create(core->loop(), node.host, node.status_port, answers);
  if (!server) return server.status();
  status_server = std::move(*server);
  core->loop().add(*status_server);
  return {};
}

Status Node::Impl::make_executor() {
  const auto address = role_of(core->node(), Role::kExecutor);
  if (!address) return {};
  if (core->cluster().model.is_primary_backup()) return make_pair(*address);
  auto gate =
      make_gate(*address, genesis_of(core->cluster(), core->digester(), options.make_service));
  if (!gate) return gate.status();
  executor_gate = std::move(*gate);
  core->router().add(*address, *executor_gate);
  return executor_gate->sit([this](const Seating& seating) { return seat_executor(seating); });
}

Result<std::unique_ptr<MemberGate>> Node::Impl::make_gate(Address node,
                                                          const crypto::Digest& genesis) {
  return runtime::make_gate(*core, node, genesis, state_directory());
}

// An address is one node's for ever: if it is another's this node will never be a member, and its
// links would take the place of that one's.
Status Node::Impl::own_seat(const MemberGate& gate, Address role) {
  auto status = runtime::own_seat(*core, gate.members(), role);
  if (!status) core->router().links().withdraw(status.message());
  return status;
}

Status Node::Impl::seat_executor(const Seating& seating) {
  const Address node = *role_of(core->node(), Role::kExecutor);
  if (auto own = own_seat(*executor_gate, node); !own) {
    executor_gate->occupy(nullptr);
    executor.reset();
    return own;
  }
  if (executor) return executor->begin_epoch(seating);
  const ExecutorHostOptions wanted{core->cluster().model,     node,
                                   core->cluster().clients(), options.threads,
                                   options.make_service,      executor_memory()};
  auto made = ExecutorHost::create(core->loop(), *executor_gate, core->digester(), wanted, seating);
  if (!made) return made.status();
  executor = std::move(*made);
  executor_gate->occupy(executor.get());
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
  auto gate =
      make_gate(*address, genesis_of(core->cluster(), core->digester(), options.make_service));
  if (!gate) return gate.status();
  verifier_gate = std::move(*gate);
  verifier_gate->set_committed([this] {
    return verifier ? verifier->committed() : std::pair<BatchNumber, crypto::Digest>();
  });
  core->router().add(*address, *verifier_gate);
  return verifier_gate->sit([this](const Seating& seating) { return seat_verifier(seating); });
}

// One for each epoch, with a log of its own (M12).
Status Node::Impl::seat_verifier(const Seating& seating) {
  verifier_gate->occupy(nullptr);
  verifier.reset();
  if (!seating.seat) return {};
  const Address node = *role_of(core->node(), Role::kVerifier);
  if (auto own = own_seat(*verifier_gate, node); !own) return own;
  verification::VerifierOptions wanted;
  wanted.model = core->cluster().model;
  wanted.index = *seating.seat;
  wanted.start = seating.start;
  wanted.genesis = seating.token;
  auto memory = open_verifier_memory({state_directory(), core->cluster().id, node, seating.epoch,
                                      options.durability, options.headroom_bytes},
                                     wanted, core->digester());
  if (!memory) return memory.status();
  verifier = std::make_unique<VerifierHost>(core->loop(), *verifier_gate, core->digester(), node,
                                            seating, std::move(*memory));
  verifier_gate->occupy(verifier.get());
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
  auto gate = make_gate(*address, {});
  if (!gate) return gate.status();
  client_gate = std::move(*gate);
  client = std::make_unique<ClientHost>(*client_gate, core->authenticator(), core->digester(),
                                        wanted, *gateway);
  client_gate->occupy(client.get());
  (void)client_gate->sit([this](const Seating&) {
    client->on_new_members(core->loop().now());
    return Status();
  });
  gateway->connect(*client);
  core->router().add(*address, *client_gate);
  core->loop().add(*gateway);
  return {};
}

std::string Node::Impl::status_text() {
  return status_json(*core,
                     {executor.get(), pair.get(), verifier.get(), client.get(), gateway.get(),
                      executor_gate.get(), verifier_gate.get(), client_gate.get()},
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
  const std::array<Host*, 4> hosts = {impl_->client_gate.get(), impl_->executor_gate.get(),
                                      impl_->pair.get(), impl_->verifier_gate.get()};
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
