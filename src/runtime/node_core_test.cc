#include "runtime/node_core.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/limits.h"
#include "runtime/files.h"
#include "runtime/node.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using testing::eventually;
using testing::local_cluster;
using testing::TemporaryFolder;

/// A role that remembers from whom it heard.
class Listening final : public Host {
 public:
  void start(TimeUs) override {}
  void receive(const wire::Message& message, Address from, TimeUs) override {
    if (!std::holds_alternative<wire::ChainWanted>(message)) return;
    std::lock_guard lock(mutex_);
    heard_.push_back(from);
  }
  TimeUs deadline() const override { return kNever; }
  void tick(TimeUs) override {}
  bool idle(TimeUs) override { return false; }
  std::vector<Address> heard() {
    std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::vector<Address> heard_;
};

/// A node's core on a thread of its own, with one role.
class RunningCore {
 public:
  RunningCore(const ClusterConfig& cluster, const std::string& name,
              const std::filesystem::path& directory) {
    auto made = NodeCore::create(cluster, name, directory);
    EXPECT_TRUE(made.ok()) << made.message();
    core = std::move(*made);
    self = core->node().roles.front();
    core->router().add(self, host);
    const auto listens = core->router().links().listen();
    EXPECT_TRUE(listens.ok()) << listens.message();
    thread_ = std::thread([this] { core->loop().run(); });
  }
  ~RunningCore() {
    core->loop().stop();
    thread_.join();
  }

  template <typename Function>
  auto on_loop(Function function) -> decltype(function()) {
    auto task = std::make_shared<std::packaged_task<decltype(function())()>>(function);
    auto result = task->get_future();
    core->loop().post([task] { (*task)(); });
    return result.get();
  }
  bool reaches(Address peer) {
    return on_loop([this, peer] { return core->router().reachable(peer); });
  }
  void say(Address to) {
    on_loop([this, to] {
      std::vector<wire::Send> sends = {
          {{to}, std::make_shared<const wire::Message>(wire::ChainWanted{Epoch(0)})}};
      core->router().send(self, sends);
    });
  }
  Status join(const NodeConfig& node) {
    return on_loop([this, &node] { return core->join(node); });
  }

  std::unique_ptr<NodeCore> core;
  Address self = Address::executor(0);
  Listening host;

 private:
  std::thread thread_;
};

class NodeCoreTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  NodeCoreTest() {
    const auto status = write_cluster(folder.path(), local_cluster(model, true, false));
    EXPECT_TRUE(status.ok()) << status.message();
    cluster = *read_cluster(folder.path() / "cluster.toml");
  }
  NodeConfig late(const std::string& name = "late") {
    const auto key = crypto::SigningKey::generate();
    NodeConfig node;
    node.name = name;
    node.host = "127.0.0.1";
    node.port = testing::free_ports(1)[0];
    node.roles = {Address::executor(3),
                  Address::verifier(static_cast<uint16_t>(model.verifiers()))};
    node.key = key.public_key();
    const auto written = create_file(folder.path() / (name + ".key"), key.to_pem(), Access::kOwner);
    EXPECT_TRUE(written.ok()) << written.message();
    return node;
  }
  /// Signed by `from`, judged by `at`.
  static bool believes(RunningCore& at, RunningCore& from, Address signer) {
    const auto signature = from.core->authenticator().sign(crypto::Domain::kPrepare, "vote");
    return at.core->authenticator().verify(signer, crypto::Domain::kPrepare, "vote", signature);
  }

  FaultModel model{1, GetParam()};
  TemporaryFolder folder;
  ClusterConfig cluster;
};

INSTANTIATE_TEST_SUITE_P(, NodeCoreTest, ::testing::Values(0u, 1u),
                         [](const auto& which) { return which.param == 0 ? "crash" : "bft"; });

TEST_P(NodeCoreTest, TheOperatorSpeaksToExecutors) {
  RunningCore node(cluster, "node-0", folder.path());
  RunningCore operators(cluster, "operator", folder.path());
  EXPECT_EQ(operators.self, Address::client(limits::kOperator));
  EXPECT_EQ(operators.core->cluster().clients(), cluster.clients());
  ASSERT_TRUE(eventually([&] { return operators.reaches(Address::executor(0)); }));
  operators.say(Address::executor(0));
  EXPECT_TRUE(
      eventually([&] { return node.host.heard() == std::vector<Address>{operators.self}; }));
  ASSERT_TRUE(eventually([&] { return node.reaches(operators.self); }));
  node.say(operators.self);
  EXPECT_TRUE(eventually([&] { return operators.host.heard().size() == 1; }));
  EXPECT_TRUE(believes(node, operators, operators.self));
  EXPECT_EQ(believes(node, operators, Address::client(0)), model.r() == 0);
}

TEST_P(NodeCoreTest, ANodeJoinsWhileOthersRun) {
  const auto node = late();
  auto told = cluster;
  told.joined = {node};
  RunningCore old(cluster, "node-0", folder.path());
  RunningCore fresh(told, "late", folder.path());
  EXPECT_EQ(fresh.self, Address::executor(3));
  EXPECT_TRUE(eventually([&] {
    return old.on_loop([&] { return old.core->router().links().refused_connections(); }) > 0;
  }));
  EXPECT_FALSE(old.reaches(fresh.self));
  EXPECT_EQ(old.on_loop([&] { return old.core->router().name_of(fresh.self); }), "");
  EXPECT_EQ(believes(old, fresh, fresh.self), model.r() == 0);

  ASSERT_TRUE(old.join(node).ok());
  ASSERT_TRUE(old.join(node).ok()) << "again";
  ASSERT_TRUE(eventually([&] { return old.reaches(fresh.self) && fresh.reaches(old.self); }));
  EXPECT_TRUE(old.reaches(node.roles[1]));
  EXPECT_EQ(old.on_loop([&] { return old.core->router().name_of(node.roles[1]); }), "late");
  EXPECT_TRUE(believes(old, fresh, fresh.self));
  fresh.say(old.self);
  old.say(fresh.self);
  EXPECT_TRUE(eventually([&] { return old.host.heard() == std::vector<Address>{fresh.self}; }));
  EXPECT_TRUE(eventually([&] { return fresh.host.heard() == std::vector<Address>{old.self}; }));
}

TEST_P(NodeCoreTest, TheChainsWordReplacesTheFiles) {
  const auto filed = late("filed");
  auto told = cluster;
  told.joined = {filed};
  RunningCore old(told, "node-0", folder.path());
  auto right = late("right");
  right.roles = {Address::executor(3)};
  ASSERT_TRUE(old.join(right).ok());
  auto its = cluster;
  its.joined = {right};
  RunningCore fresh(its, "right", folder.path());
  ASSERT_TRUE(eventually([&] { return old.reaches(fresh.self); }));
  EXPECT_TRUE(believes(old, fresh, fresh.self));
  EXPECT_FALSE(old.reaches(filed.roles[1])) << "nobody plays that";
  EXPECT_EQ(old.on_loop([&] { return old.core->router().name_of(filed.roles[1]); }), "");
}

TEST_P(NodeCoreTest, SaysWhoCannotJoin) {
  const auto node = late();
  auto told = cluster;
  told.joined = {node};
  RunningCore fresh(told, "late", folder.path());
  EXPECT_TRUE(fresh.join(node).ok()) << "that is itself";
  auto other = node;
  other.key[0] ^= 1;
  const auto not_me = fresh.join(other);
  ASSERT_FALSE(not_me.ok());
  EXPECT_NE(not_me.message().find("this node is not the one that joined in epoch 1"),
            std::string::npos);
  auto taken = node;
  taken.name = "node-1";
  RunningCore old(cluster, "node-0", folder.path());
  const auto refused = old.join(taken);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.message().find("the name of another one"), std::string::npos);
}

TEST(NodeCore, WithoutAnOperatorsKeyThereIsNoOperator) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 0), true, false)).ok());
  auto cluster = *read_cluster(folder.path() / "cluster.toml");
  std::filesystem::remove(folder.path() / "operator.key");
  const auto lost = NodeCore::create(cluster, "operator", folder.path());
  ASSERT_FALSE(lost.ok());
  EXPECT_NE(lost.message().find("operator.key"), std::string::npos) << lost.message();
  cluster.operator_key.reset();
  const auto none = NodeCore::create(cluster, "operator", folder.path());
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.message().find("no node \"operator\""), std::string::npos) << none.message();
}

}  // namespace
}  // namespace eve::runtime
