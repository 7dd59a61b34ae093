#include "runtime/operator_session.h"

#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "membership/petition.h"
#include "runtime/contact.h"
#include "runtime/host.h"
#include "runtime/newcomers.h"
#include "runtime/node_core.h"

namespace eve::runtime {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(20);
constexpr Address kSelf = Address::client(limits::kOperator);

membership::Succession beginning(NodeCore& core) {
  const auto& model = core.cluster().model;
  // Nothing is asked of the first token: a link proves itself by its members.
  return membership::Succession(
      model, {membership::Members::first(model), BatchNumber(), crypto::Digest()}, keys_of(core),
      core.digester());
}

}  // namespace

struct OperatorSession::Impl final : Host {
  explicit Impl(std::unique_ptr<NodeCore> node_core)
      : core(std::move(node_core)),
        petition({core->cluster().model}, beginning(*core), core->authenticator(),
                 core->digester()) {
    core->router().add(kSelf, *this);
    thread = std::thread([this] { core->loop().run(); });
  }
  ~Impl() override {
    core->loop().stop();
    thread.join();
  }

  // ---- On the loop's thread ----

  void start(TimeUs) override {}
  void receive(const wire::Message& message, Address from, TimeUs now) override {
    petition.receive(message, from, now, sends);
    core->router().send(kSelf, sends);
  }
  void on_link(Address peer, bool up, TimeUs now) override { petition.reachable(peer, up, now); }
  TimeUs deadline() const override { return petition.deadline(); }
  void tick(TimeUs now) override {
    petition.tick(now, sends);
    core->router().send(kSelf, sends);
  }
  bool idle(TimeUs) override { return false; }

  Known known() {
    const auto& chain = petition.chain();
    Known known{chain.present().members, {}};
    for (Epoch epoch; epoch < chain.epoch(); epoch = epoch.next()) {
      const auto change = petition.ended_by(epoch);
      if (!change) continue;
      if (auto node = newcomer(core->cluster().model, *change)) {
        known.joined.push_back(std::move(*node));
      }
    }
    return known;
  }

  // ---- On the caller's ----

  template <typename Function>
  auto on_loop(Function function) -> decltype(function()) {
    auto task = std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
    auto result = task->get_future();
    core->loop().post([task] { (*task)(); });
    return result.get();
  }
  bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (!on_loop(condition)) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(kLookEvery);
    }
    return true;
  }
  Error too_few() {
    const auto there = on_loop([this] { return petition.executors_there(); });
    const auto& model = core->cluster().model;
    return Error{"the operator reaches " + std::to_string(there) + " of " +
                 std::to_string(model.executors()) + " executors that are members, and needs " +
                 std::to_string(model.token_certificate()) +
                 ": are they running, and does this machine reach their ports?"};
  }

  std::unique_ptr<NodeCore> core;
  membership::Petition petition;
  std::vector<wire::Send> sends;
  std::thread thread;
};

OperatorSession::OperatorSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OperatorSession::~OperatorSession() = default;

Result<std::unique_ptr<OperatorSession>> OperatorSession::open(
    const ClusterConfig& cluster, const std::filesystem::path& directory) {
  if (!cluster.operator_key) return Error{"cluster.toml has no [operator] key"};
  auto core = NodeCore::create(cluster, std::string(kOperatorName), directory);
  if (!core) return core.error();
  return std::unique_ptr<OperatorSession>(
      new OperatorSession(std::make_unique<Impl>(std::move(*core))));
}

Result<OperatorSession::Known> OperatorSession::learn(std::chrono::milliseconds timeout) {
  auto& impl = *impl_;
  const auto settled = [&impl] { return impl.petition.settled(impl.core->loop().now()); };
  if (!impl.wait_until(settled, timeout)) return impl.too_few();
  return impl.on_loop([&impl] { return impl.known(); });
}

void OperatorSession::announce(const wire::Change& change) {
  auto& impl = *impl_;
  impl.on_loop([&] { impl.petition.announce(change, impl.core->loop().now()); });
}

Result<OperatorSession::Ended> OperatorSession::change(const wire::Change& change,
                                                       std::chrono::milliseconds timeout) {
  auto& impl = *impl_;
  impl.on_loop([&] { impl.petition.ask(change, impl.core->loop().now()); });
  const auto ended = [&] { return impl.petition.ended_by(change.epoch).has_value(); };
  if (!impl.wait_until(ended, timeout)) {
    return Error{
        "no later epoch has begun in time. The change may still be executed: ask again, "
        "with the same names, and what was done is taken up. " +
        impl.too_few().message};
  }
  return impl.on_loop([&] { return Ended{*impl.petition.ended_by(change.epoch), impl.known()}; });
}

}  // namespace eve::runtime
