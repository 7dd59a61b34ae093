// eve::Client: a client session on a network thread of its own.
#include <cstring>
#include <deque>
#include <thread>

#include "base/check.h"
#include "base/limits.h"
#include "eve/client.h"
#include "runtime/client_host.h"
#include "runtime/make_gate.h"
#include "runtime/node.h"
#include "runtime/node_core.h"

namespace eve {
namespace {

using runtime::ClientHost;
using runtime::MemberGate;
using runtime::NodeCore;
using runtime::Seating;

client::SessionOptions session_options(const NodeCore& core, uint16_t index) {
  client::SessionOptions options;
  options.model = core.cluster().model;
  options.client = index;
  const auto random = crypto::random_secret();
  std::memcpy(&options.nonce, random.data(), sizeof options.nonce);
  return options;
}

}  // namespace

struct Client::Impl final : ClientHost::Sink {
  Impl(std::unique_ptr<NodeCore> node_core, std::unique_ptr<MemberGate> member_gate, uint16_t index)
      : core(std::move(node_core)),
        gate(std::move(member_gate)),
        host(*gate, core->authenticator(), core->digester(), session_options(*core, index), *this) {
    gate->occupy(&host);
    (void)gate->sit([this](const Seating&) {
      host.on_new_members(core->loop().now());
      return Status();
    });
    core->router().add(Address::client(index), *gate);
  }

  ~Impl() override {
    core->loop().stop();
    if (thread.joinable()) thread.join();
    const Error closed{"the client was closed; the request may or may not have been executed"};
    for (auto& call : outstanding) call.done(closed);
    for (auto& call : waiting) call.done(closed);
  }

  void start() {
    thread = std::thread([this] {
      gate->start(core->loop().now());
      core->loop().run();
    });
  }

  void call(Bytes request, Callback done) {
    {
      std::lock_guard lock(mutex);
      waiting.push_back({std::move(request), std::move(done)});
      if (waiting.size() > 1) return;
    }
    core->loop().post([this] { submit_waiting(); });
  }

  // ---- On the network thread ----

  void submit_waiting() {
    std::vector<Waiting> calls;
    {
      std::lock_guard lock(mutex);
      calls.swap(waiting);
    }
    for (auto& call : calls) {
      const bool fits = call.request.size() <= limits::kMaxRequestBytes;
      if (host.submit(std::move(call.request), next_ticket)) {
        outstanding.push_back({next_ticket++, std::move(call.done)});
      } else {
        call.done(Error{fits ? "too many requests are waiting; this one was not sent: try later"
                             : "the request is too large; it was not sent"});
      }
    }
  }

  void on_open() override { opened.set_value(); }

  void on_completion(const client::Completion& completion) override {
    EVE_CHECK(!outstanding.empty() && outstanding.front().ticket == completion.ticket,
              "completions come in the order of submission");
    const auto done = std::move(outstanding.front().done);
    outstanding.pop_front();
    if (completion.executed) {
      done(Bytes(completion.reply));
    } else if (completion.quarantined) {
      done(
          Error{"quarantined: the replicas cannot agree on this request, or on another that was "
                "sent with it; it was not executed and never will be"});
    } else {
      done(Error{"the session was lost; the request may or may not have been executed"});
    }
  }

  struct Waiting {
    Bytes request;
    Callback done;
  };
  struct Outstanding {
    client::Ticket ticket;
    Callback done;
  };

  std::unique_ptr<NodeCore> core;
  std::unique_ptr<MemberGate> gate;
  ClientHost host;
  std::promise<void> opened;
  client::Ticket next_ticket = 1;
  std::deque<Outstanding> outstanding;
  std::mutex mutex;
  std::vector<Waiting> waiting;  ///< guarded by mutex
  std::thread thread;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::connect(const std::string& cluster_file,
                                                const std::string& node,
                                                const ClientOptions& options) {
  auto cluster = runtime::read_cluster(cluster_file);
  if (!cluster) return cluster.error();
  const std::filesystem::path directory =
      options.key_directory.empty() ? std::filesystem::absolute(cluster_file).parent_path()
                                    : std::filesystem::path(options.key_directory);
  auto core = NodeCore::create(std::move(*cluster), node, directory);
  if (!core) return core.error();
  const auto& roles = (*core)->node().roles;
  if (roles.size() != 1 || roles[0].role != Role::kClient || (*core)->node().service_port != 0) {
    return Error{"node \"" + node +
                 "\" is not for native clients: choose one with a client role "
                 "only and no service_port"};
  }
  // A client that is not a server's keeps no files: it learns who the members are at each start.
  auto gate = make_gate(**core, roles[0], {}, {});
  if (!gate) return gate.error();
  auto impl = std::make_unique<Impl>(std::move(*core), std::move(*gate), roles[0].index);
  auto open = impl->opened.get_future();
  impl->start();
  if (open.wait_for(options.connect_timeout) != std::future_status::ready) {
    return Error{"the cluster of " + cluster_file + " did not answer in time: is it running?"};
  }
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

void Client::call(Bytes request, Callback done) {
  impl_->call(std::move(request), std::move(done));
}

std::future<Result<Bytes>> Client::call(Bytes request) {
  // Shared, because a std::function can be copied and a promise cannot.
  auto promise = std::make_shared<std::promise<Result<Bytes>>>();
  auto future = promise->get_future();
  impl_->call(std::move(request),
              [promise](Result<Bytes> reply) { promise->set_value(std::move(reply)); });
  return future;
}

Result<Bytes> Client::call_and_wait(Bytes request) {
  return call(std::move(request)).get();
}

}  // namespace eve
