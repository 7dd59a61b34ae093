// A cluster in one process that changes its members (docs/membership.md), over real sockets.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "runtime/contact.h"
#include "runtime/files.h"
#include "runtime/make_gate.h"
#include "runtime/node_testing.h"
#include "wire/membership.h"

namespace eve::runtime {
namespace {

using durability::Durability;
using nlohmann::json;
using testing::add_many;
using testing::eventually;
using testing::TestCluster;

/// Asks all executors for a change until a link shows that the epoch has ended.
class Operator final : public Host {
 public:
  Operator(const TestCluster& cluster, const NodeConfig& newcomer, uint16_t seat, Epoch ends)
      : ends_(ends) {
    auto core = NodeCore::create(cluster.config(), std::string(kOperatorName), cluster.directory());
    EXPECT_TRUE(core.ok()) << core.message();
    core_ = std::move(*core);
    const Address self = Address::client(limits::kOperator);
    auto gate = make_gate(*core_, self, {}, {});
    EXPECT_TRUE(gate.ok()) << gate.message();
    gate_ = std::move(*gate);
    gate_->occupy(this);
    core_->router().add(self, *gate_);
    const auto sign = [this](ByteView bytes) {
      return core_->authenticator().sign(crypto::Domain::kBundle, bytes);
    };
    change_ = wire::make_change({ends, seat, seat, encode_contact(newcomer)}, sign);
    thread_ = std::thread([this] {
      gate_->start(core_->loop().now());
      core_->loop().run();
    });
  }
  ~Operator() override {
    core_->loop().stop();
    thread_.join();
  }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  bool done() const { return done_; }

 private:
  void start(TimeUs now) override { ask_at_ = now; }
  void receive(const wire::Message&, Address, TimeUs) override {}
  TimeUs deadline() const override { return ask_at_; }
  void tick(TimeUs now) override {
    if (gate_->epoch() > ends_) done_ = true;
    ask_at_ = done_ ? kNever : now + 50'000;
    if (done_) return;
    std::vector<Address> everybody;
    for (uint16_t i = 0; i < core_->cluster().model.executors(); ++i) {
      everybody.push_back(Address::executor(i));
    }
    const auto share = [](wire::Message message) {
      return std::make_shared<const wire::Message>(std::move(message));
    };
    std::vector<wire::Send> sends{{everybody, share(wire::ChainWanted{gate_->epoch()})}};
    core_->router().send(Address::client(limits::kOperator), sends);
    if (gate_->epoch() < ends_) return;
    sends = {{everybody, share(wire::BundleMessage{change_, /*retry=*/true})}};
    gate_->send(sends);
  }
  bool idle(TimeUs) override { return false; }

  Epoch ends_;
  std::unique_ptr<NodeCore> core_;
  std::unique_ptr<MemberGate> gate_;
  wire::BundlePtr change_;
  TimeUs ask_at_ = 0;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

/// Takes both seats `seat` in the epoch after `ends`.
NodeConfig newcomer(const TestCluster& cluster, const std::string& name, Epoch ends) {
  const auto key = crypto::SigningKey::generate();
  EXPECT_TRUE(create_file(cluster.directory() / (name + ".key"), key.to_pem(), Access::kOwner));
  const auto ports = testing::free_ports(2);
  NodeConfig node;
  node.name = name;
  node.host = "127.0.0.1";
  node.port = ports[0];
  node.status_port = ports[1];
  node.key = key.public_key();
  const FaultModel& model = cluster.config().model;
  node.roles = {Address::executor(static_cast<uint16_t>(model.executors() + ends.value())),
                Address::verifier(static_cast<uint16_t>(model.verifiers() + ends.value()))};
  return node;
}

struct Setting {
  FaultModel model;
  Durability durability;
};

class MembersTest : public ::testing::TestWithParam<Setting> {
 protected:
  MembersTest() : cluster(GetParam().model, true, GetParam().durability) {}

  void replace(const std::string& old, uint16_t seat, const std::string& name, Epoch ends) {
    const NodeConfig node = newcomer(cluster, name, ends);
    cluster.stop(old);
    {
      const Operator asks(cluster, node, seat, ends);
      ASSERT_TRUE(eventually([&] { return asks.done(); }));
    }
    cluster.add_joined(node);
    cluster.start(name);
  }
  bool level(const std::string& name, uint64_t epoch) {
    const json status = cluster.status(name);
    return status["executor"]["epoch"] == epoch && status["verifier"]["epoch"] == epoch &&
           status["executor"]["fetching"] == false && status["verifier"]["phase"] == "normal" &&
           status["executor"]["committed"] >= status["members"]["start"];
  }

  TestCluster cluster;
};

TEST_P(MembersTest, TwoNodesAreReplacedAndTheNewOnesCarryTheCluster) {
  auto client = Client::connect(cluster.file(), "client");
  ASSERT_TRUE(client.ok()) << client.message();
  add_many(**client, 0, 50);
  replace("node-1", 1, "node-8", Epoch(0));
  add_many(**client, 50, 50);
  ASSERT_TRUE(eventually([&] { return level("node-8", 1); })) << cluster.status("node-8");
  const json members = cluster.status("node-0")["members"];
  EXPECT_EQ(members["epoch"], 1);
  EXPECT_EQ(members["executors"], json::parse(R"(["node-0", "node-8", "node-2"])"));

  // Without another one the new one is needed.
  replace("node-2", 2, "node-9", Epoch(1));
  add_many(**client, 100, 50);
  ASSERT_TRUE(eventually([&] { return level("node-9", 2); })) << cluster.status("node-9");
  cluster.stop("node-0");
  add_many(**client, 150, 50);

  // Who was replaced finds out, and counts for nothing.
  cluster.start("node-1");
  EXPECT_TRUE(eventually([&] {
    const json status = cluster.status("node-1");
    return status["executor"]["replaced"] == true && status["verifier"]["phase"] == "replaced";
  })) << cluster.status("node-1");
  cluster.start("node-0");
  add_many(**client, 200, 20);
  EXPECT_TRUE(eventually([&] { return level("node-0", 2); })) << cluster.status("node-0");
}

TEST_P(MembersTest, EverybodyStartsAgainInTheLastEpoch) {
  if (GetParam().durability == Durability::kMemory) GTEST_SKIP() << "nothing would be left";
  {
    auto client = Client::connect(cluster.file(), "client");
    ASSERT_TRUE(client.ok()) << client.message();
    add_many(**client, 0, 50);
    replace("node-1", 1, "node-8", Epoch(0));
    add_many(**client, 50, 50);
  }
  ASSERT_TRUE(eventually([&] { return level("node-8", 1); })) << cluster.status("node-8");
  std::vector<std::string> members{"node-0", "node-2", "node-8"};
  if (GetParam().model.byzantine()) members.emplace_back("node-3");
  for (const auto& name : members) cluster.stop(name);
  for (const auto& name : members) cluster.start(name);
  auto client = Client::connect(cluster.file(), "client");
  ASSERT_TRUE(client.ok()) << client.message();
  add_many(**client, 100, 50);
  for (const auto& name : {"node-0", "node-2", "node-8"}) {
    EXPECT_TRUE(eventually([&] { return level(name, 1); })) << cluster.status(name);
  }
}

/// Without TLS nothing proves who has connected: two machines can have one member's address.
TEST(Members, AnotherMachineWithTheNameOfWhoJoinedDoesNotTakeItsSeat) {
  TestCluster cluster(FaultModel(1, 0), /*tls=*/false, Durability::kSync);
  auto client = Client::connect(cluster.file(), "client");
  ASSERT_TRUE(client.ok()) << client.message();
  const NodeConfig taken = newcomer(cluster, "node-8", Epoch(0));
  cluster.stop("node-1");
  {
    const Operator asks(cluster, taken, 1, Epoch(0));
    ASSERT_TRUE(eventually([&] { return asks.done(); }));
  }
  // Another operator has asked for the same change, for a machine of its own.
  std::filesystem::remove(cluster.directory() / "node-8.key");
  const NodeConfig other = newcomer(cluster, "node-8", Epoch(0));
  cluster.add_joined(other);
  cluster.start("node-8");
  const auto status = [&] { return cluster.status("node-8"); };
  ASSERT_TRUE(eventually([&] {
    return status()["executor"]["cannot_begin"].get<std::string>().find(
               "another node took this seat: \"node-8\"") != std::string::npos;
  })) << status();
  EXPECT_NE(status()["executor"]["waiting_for"].get<std::string>().find("stop this one"),
            std::string::npos);
  EXPECT_FALSE(status()["executor"].contains("view")) << status();
  EXPECT_NE(status()["verifier"]["phase"], "normal");
  add_many(**client, 0, 20);
  EXPECT_TRUE(eventually([&] {
    const json others = cluster.status("node-0");
    for (const auto& link : others["links"]) {
      if (link["peer"] == "node-8" && link["connected"] == true) return false;
    }
    return true;
  })) << cluster.status("node-0")["links"];

  // It knows that before it says anything when it starts again.
  cluster.stop("node-8");
  NodeOptions again;
  again.cluster = cluster.config();
  again.node = "node-8";
  again.directory = cluster.directory();
  again.durability = Durability::kSync;
  again.make_service = [](State& state) { return std::make_unique<testing::Counters>(state); };
  const auto made = Node::create(std::move(again));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.message().find("another node took this seat"), std::string::npos)
      << made.message();
}

INSTANTIATE_TEST_SUITE_P(Settings, MembersTest,
                         ::testing::Values(Setting{FaultModel(1, 0), Durability::kMemory},
                                           Setting{FaultModel(1, 0), Durability::kSync},
                                           Setting{FaultModel(1, 1), Durability::kSync}),
                         [](const auto& each) {
                           return std::string(each.param.model.byzantine() ? "bft" : "crash") +
                                  (each.param.durability == Durability::kSync ? "_sync" : "");
                         });

}  // namespace
}  // namespace eve::runtime
