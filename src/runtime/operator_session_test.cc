// The operator and the executors of a cluster, over real links: what they answer is made here.
#include "runtime/operator_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>

#include "base/limits.h"
#include "membership/epoch_keys.h"
#include "runtime/contact.h"
#include "runtime/files.h"
#include "runtime/member_change.h"
#include "runtime/newcomers.h"
#include "runtime/node.h"
#include "runtime/test_support.h"
#include "wire/bundle.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

using std::chrono::milliseconds;
using testing::local_cluster;
using testing::TemporaryFolder;

/// The links that a cluster would have made; its executors share them.
struct History {
  std::mutex mutex;
  std::vector<wire::Link> links;
  std::optional<wire::Change> other;  ///< executed instead of the next one that is asked for
  bool deaf = false;
};

/// One node: answers who wants links, and has changes executed. Signs as its verifier.
class AnsweringNode final : public Host {
 public:
  AnsweringNode(const ClusterConfig& cluster, const std::string& name,
                const std::filesystem::path& directory, History& history)
      : history_(history) {
    auto made = NodeCore::create(cluster, name, directory);
    EXPECT_TRUE(made.ok()) << made.message();
    core = std::move(*made);
    for (const auto role : core->node().roles) {
      if (role.role == Role::kExecutor) core->router().add(self_ = role, *this);
    }
    const auto listens = core->router().links().listen();
    EXPECT_TRUE(listens.ok()) << listens.message();
    thread_ = std::thread([this] { core->loop().run(); });
  }
  ~AnsweringNode() override {
    core->loop().stop();
    thread_.join();
  }

  void start(TimeUs) override {}
  TimeUs deadline() const override { return kNever; }
  void tick(TimeUs) override {}
  bool idle(TimeUs) override { return false; }
  void receive(const wire::Message& message, Address from, TimeUs) override {
    std::lock_guard lock(history_.mutex);
    const wire::Message* inner = &message;
    if (const auto* within = std::get_if<wire::InEpoch>(inner)) inner = &within->enclosed->message;
    if (const auto* bundle = std::get_if<wire::BundleMessage>(inner)) {
      if (!history_.deaf && executes) executes(*bundle->bundle);
    }
    const auto* wanted = std::get_if<wire::ChainWanted>(inner);
    if (wanted == nullptr || wanted->from.value() >= history_.links.size()) return;
    const auto first = history_.links.begin() + static_cast<long>(wanted->from.value());
    std::vector<wire::Send> sends = {
        {{from},
         std::make_shared<const wire::Message>(wire::Chain{{first, history_.links.end()}})}};
    core->router().send(self_, sends);
  }

  std::unique_ptr<NodeCore> core;
  std::function<void(const wire::Bundle&)> executes;

 private:
  History& history_;
  Address self_;
  std::thread thread_;
};

class OperatorSessionTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  OperatorSessionTest() {
    const auto status = write_cluster(folder.path(), local_cluster(model, true, false));
    EXPECT_TRUE(status.ok()) << status.message();
    cluster = *read_cluster(folder.path() / "cluster.toml");
  }

  void start(const std::string& name) {
    auto known = cluster;
    known.joined = joined;
    auto& node =
        *nodes.emplace_back(std::make_unique<AnsweringNode>(known, name, folder.path(), history));
    std::lock_guard lock(history.mutex);
    node.executes = [this, &node](const wire::Bundle& bundle) {
      auto change = wire::change_in(bundle);
      ASSERT_TRUE(change.has_value());
      EXPECT_TRUE(node.core->authenticator().verify(Address::client(limits::kOperator),
                                                    crypto::Domain::kBundle, bundle.signed_part,
                                                    bundle.signature));
      if (change->epoch.value() != history.links.size()) return;
      end_epoch(history.other ? *std::exchange(history.other, std::nullopt) : *change);
    };
  }
  void start_all() {
    for (uint32_t i = 0; i < model.verifiers(); ++i) start("node-" + std::to_string(i));
  }
  const crypto::Digester& digester() const { return nodes.front()->core->digester(); }

  /// As if its executors had run it: with farewells by whoever sits there and has a key here.
  void end_epoch(const wire::Change& change) {
    const auto bundle = wire::make_change(change, [](ByteView) { return Bytes("operator"); });
    const BatchNumber number(10 * (change.epoch.value() + 1));
    const auto batch = wire::make_batch(View(), number, 1, 2, {bundle}, digester());
    const auto reply = wire::reply_digest(wire::ReplyStatus::kExecuted,
                                          wire::change_reply(change.epoch.next()), digester());
    wire::Evidence evidence{{number, digester().digest("before"), batch->digest,
                             digester().digest("state"), digester().digest(reply.view())},
                            batch};
    wire::Link link{change.epoch, evidence, {}};
    for (uint16_t seat = 0; seat < model.verifiers(); ++seat) {
      wire::Farewell said{
          change.epoch, number, wire::token_of(evidence.parts, digester()), seat, {}};
      const auto signer = members.node_at(Address::verifier(seat));
      const auto* node = find_player(signer);
      if (node == nullptr) continue;
      auto identity = read_identity(folder.path(), *node);
      ASSERT_TRUE(identity.ok()) << identity.message();
      const auto keys = make_authenticator(cluster, std::move(identity->key));
      said.signature = membership::EpochKeys(*keys, members)
                           .sign(crypto::Domain::kFarewell, wire::signed_bytes(said));
      link.farewells.push_back({seat, said.signature});
    }
    history.links.push_back(link);
    members = *members.after(change);
    if (auto node = newcomer(model, change)) joined.push_back(*node);
  }
  const NodeConfig* find_player(Address role) const {
    for (const auto* list : {&cluster.nodes, &joined}) {
      for (const auto& node : *list) {
        const auto& roles = node.roles;
        if (std::find(roles.begin(), roles.end(), role) != roles.end()) return &node;
      }
    }
    return nullptr;
  }
  /// A node with a key in the folder.
  NodeConfig fresh(const std::string& name) {
    const auto key = crypto::SigningKey::generate();
    const auto written = create_file(folder.path() / (name + ".key"), key.to_pem(), Access::kOwner);
    EXPECT_TRUE(written.ok()) << written.message();
    NodeConfig node;
    node.name = name;
    node.host = "127.0.0.1";
    // A gateway's port is free as well: nobody runs it here.
    const auto taken = [this](uint16_t port) {
      const auto has = [port](const NodeConfig& known) {
        return port == known.port || port == known.status_port || port == known.service_port;
      };
      return std::any_of(cluster.nodes.begin(), cluster.nodes.end(), has);
    };
    do {
      node.port = testing::free_ports(1)[0];
    } while (taken(node.port));
    node.key = key.public_key();
    return node;
  }
  wire::Change change(const std::string& old, const std::string& name) {
    const auto made = change_for(cluster, members, old, fresh(name));
    EXPECT_TRUE(made.ok()) << made.message();
    return *made;
  }
  std::unique_ptr<OperatorSession> session() {
    auto opened = OperatorSession::open(cluster, folder.path());
    EXPECT_TRUE(opened.ok()) << opened.message();
    return std::move(*opened);
  }

  FaultModel model{1, GetParam()};
  TemporaryFolder folder;
  ClusterConfig cluster;
  History history;
  membership::Members members = membership::Members::first(model);
  std::vector<NodeConfig> joined;
  std::vector<std::unique_ptr<AnsweringNode>> nodes;
};

INSTANTIATE_TEST_SUITE_P(, OperatorSessionTest, ::testing::Values(0u, 1u),
                         [](const auto& which) { return which.param == 0 ? "crash" : "bft"; });

TEST_P(OperatorSessionTest, LearnsTheEpochAndChangesAMember) {
  start_all();
  const auto operators = session();
  const auto known = operators->learn(milliseconds(20'000));
  ASSERT_TRUE(known.ok()) << known.message();
  EXPECT_EQ(known->members.epoch, Epoch(0));
  EXPECT_TRUE(known->joined.empty());
  const auto wanted = change("node-1", "node-9");
  const auto ended = operators->change(wanted, milliseconds(20'000));
  ASSERT_TRUE(ended.ok()) << ended.message();
  EXPECT_EQ(ended->by, wanted);
  EXPECT_EQ(ended->after.members.epoch, Epoch(1));
  ASSERT_EQ(ended->after.joined.size(), 1u);
  EXPECT_EQ(ended->after.joined[0].name, "node-9");
  EXPECT_EQ(joined_in(model, ended->after.joined[0]), 1u);
}

// Farewells of the second link are signed by who joined with the first.
TEST_P(OperatorSessionTest, FollowsAChainWhoseKeysAreInIt) {
  start_all();
  {
    std::lock_guard lock(history.mutex);
    end_epoch(change("node-0", "node-7"));
    end_epoch(change("node-2", "node-8"));
    // Where nodes may lie, without the newcomer there are too few.
    auto& last = history.links.back().farewells;
    last.erase(last.begin() + 1);
    ASSERT_EQ(last.front().verifier, 0);
    ASSERT_EQ(last.size(), model.agreement());
  }
  const auto operators = session();
  const auto alone = operators->learn(milliseconds(2'000));
  ASSERT_FALSE(alone.ok()) << "it knows that node-0 and node-2 are none any more";
  EXPECT_NE(alone.message().find("reaches 1 of 3"), std::string::npos) << alone.message();
  start("node-7");
  start("node-8");
  const auto known = operators->learn(milliseconds(20'000));
  ASSERT_TRUE(known.ok()) << known.message();
  EXPECT_EQ(known->members.epoch, Epoch(2));
  ASSERT_EQ(known->joined.size(), 2u);
  EXPECT_EQ(known->joined[0].name, "node-7");
  EXPECT_EQ(known->joined[1].name, "node-8");
}

TEST_P(OperatorSessionTest, SaysWhoWasFaster) {
  start_all();
  const auto operators = session();
  ASSERT_TRUE(operators->learn(milliseconds(20'000)).ok());
  const auto others = change("node-2", "node-8");
  {
    std::lock_guard lock(history.mutex);
    history.other = others;
  }
  const auto ended = operators->change(change("node-1", "node-9"), milliseconds(20'000));
  ASSERT_TRUE(ended.ok()) << ended.message();
  EXPECT_EQ(ended->by, others);
}

// They share one identity, so one link with each executor would go to and fro between them.
TEST_P(OperatorSessionTest, TwoAtOnceDoNotDisturbEachOther) {
  start_all();
  const auto one = session();
  const auto two = session();
  auto other = std::async(std::launch::async, [&] { return two->learn(milliseconds(10'000)); });
  const auto known = one->learn(milliseconds(10'000));
  EXPECT_TRUE(known.ok()) << known.message();
  const auto also = other.get();
  ASSERT_TRUE(also.ok()) << also.message();
  const auto wanted = change("node-1", "node-9");
  auto late = std::async(std::launch::async, [&, differs = change("node-2", "node-8")] {
    return two->change(differs, milliseconds(20'000));
  });
  const auto ended = one->change(wanted, milliseconds(20'000));
  const auto both = late.get();
  ASSERT_TRUE(ended.ok()) << ended.message();
  ASSERT_TRUE(both.ok()) << both.message();
  EXPECT_EQ(ended->by, both->by) << "each says which of the two it was";
}

TEST_P(OperatorSessionTest, SaysHowManyItReaches) {
  start("node-0");
  const auto operators = session();
  const auto known = operators->learn(milliseconds(1'500));
  ASSERT_FALSE(known.ok());
  EXPECT_NE(known.message().find("reaches 1 of 3 executors that are members, and needs 2"),
            std::string::npos)
      << known.message();
  start("node-1");
  ASSERT_TRUE(operators->learn(milliseconds(20'000)).ok());
  {
    std::lock_guard lock(history.mutex);
    history.deaf = true;
  }
  const auto wanted = change("node-1", "node-9");
  const auto ended = operators->change(wanted, milliseconds(300));
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.message().find("ask again"), std::string::npos) << ended.message();
  {
    std::lock_guard lock(history.mutex);
    history.deaf = false;
  }
  EXPECT_EQ(operators->change(wanted, milliseconds(20'000))->by, wanted);
}

TEST(OperatorSession, NeedsTheOperatorsKey) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 0), true, false)).ok());
  auto cluster = *read_cluster(folder.path() / "cluster.toml");
  std::filesystem::remove(folder.path() / "operator.key");
  EXPECT_NE(OperatorSession::open(cluster, folder.path()).message().find("operator.key"),
            std::string::npos);
  cluster.operator_key.reset();
  EXPECT_NE(OperatorSession::open(cluster, folder.path()).message().find("no [operator] key"),
            std::string::npos);
}

}  // namespace
}  // namespace eve::runtime
