#include "runtime/member_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "base/limits.h"
#include "journal/testing_disk.h"
#include "membership/testing.h"
#include "runtime/make_gate.h"
#include "runtime/node.h"
#include "runtime/test_support.h"
#include "runtime/verifier_host.h"
#include "verification/certificate.h"
#include "wire/membership.h"

namespace eve::runtime {
namespace {

using membership::testing::digester;
using membership::testing::evidence;
using membership::testing::farewell;
using membership::testing::TestKeys;

const FaultModel kModel(1, 0);

wire::Message hello() {
  return wire::Hello{false, View(1), BatchNumber(2)};
}

class Listening final : public Host {
 public:
  void start(TimeUs) override { ++started; }
  void receive(const wire::Message&, Address from, TimeUs) override { heard.push_back(from); }
  TimeUs deadline() const override { return kNever; }
  void tick(TimeUs) override {}
  bool idle(TimeUs) override { return false; }

  std::vector<Address> heard;
  int started = 0;
};

/// One role of a node whose router has no links: what leaves is seen on its way.
class MemberGateTest : public ::testing::Test {
 protected:
  struct Sent {
    Address from;
    std::vector<Address> to;
    wire::MessagePtr message;
  };

  MemberGateTest() : keys(Address::verifier(0)) {
    EXPECT_TRUE(write_cluster(folder.path(), testing::local_cluster(kModel, false, true)));
    auto made =
        NodeCore::create(*read_cluster(folder.path() / "cluster.toml"), "node-0", folder.path());
    EXPECT_TRUE(made.ok()) << made.message();
    core = std::move(*made);
    core->router().set_rewrite([this](Address from, std::vector<wire::Send>& sends) {
      for (const wire::Send& send : sends) sent.push_back({from, send.to, send.message});
    });
  }

  std::filesystem::path file(Address node) const {
    return folder.path() / (to_string(node) + ".chain");
  }
  Result<std::unique_ptr<MemberGate>> make(Address node, std::vector<Address> later = {}) {
    return MemberGate::create(
        core->router(), keys, digester(),
        {kModel, node, digester().digest("genesis"), ChainFile(file(node)), std::move(later)},
        [this](const membership::Members& members) { learnt = members; });
  }
  void open(Address node, std::vector<Address> later = {}) {
    gate.reset();
    auto made = make(node, std::move(later));
    ASSERT_TRUE(made.ok()) << made.message();
    gate = std::move(*made);
    gate->occupy(&host);
    ASSERT_TRUE(gate->sit([this](const Seating& seating) {
      seatings.push_back(seating);
      return refuse ? Status(Error{"no room"}) : Status();
    }));
    gate->start(0);
  }
  /// The end of the present epoch: the seat of `executor` goes to another node.
  wire::Link next_link(uint16_t executor, uint64_t number) {
    const membership::Members& members = gate->members();
    return membership::testing::link(
        members, {0, 1}, evidence({members.epoch, executor, std::nullopt, "contact"}, number));
  }
  void show(const wire::Link& link) {
    gate->receive(wire::Chain{{link}}, Address::verifier(1), 1'000);
  }
  static wire::Message enclosed(uint32_t epoch, wire::Message message) {
    return wire::InEpoch{
        Epoch(epoch), std::make_shared<const wire::Enclosed>(wire::Enclosed{std::move(message)})};
  }

  testing::TemporaryFolder folder;
  TestKeys keys;
  std::unique_ptr<NodeCore> core;
  Listening host;
  std::unique_ptr<MemberGate> gate;
  std::vector<Seating> seatings;
  std::vector<Sent> sent;
  membership::Members learnt;
  bool refuse = false;
};

TEST_F(MemberGateTest, InTheFirstEpochEverythingPassesAsItIs) {
  open(Address::executor(0));
  ASSERT_EQ(seatings.size(), 1u);
  EXPECT_EQ(seatings[0].epoch, Epoch());
  EXPECT_EQ(seatings[0].seat, 0);
  EXPECT_EQ(seatings[0].token, digester().digest("genesis"));
  EXPECT_EQ(host.started, 1);

  gate->receive(hello(), Address::executor(1), 0);
  gate->receive(hello(), Address::executor(3), 0);  // nobody that has a seat
  EXPECT_EQ(host.heard, std::vector<Address>{Address::executor(1)});

  const auto message = std::make_shared<const wire::Message>(hello());
  std::vector<wire::Send> sends{{{Address::executor(2)}, message}};
  gate->send(sends);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].message, message);
  EXPECT_EQ(sent[0].to, std::vector<Address>{Address::executor(2)});
  EXPECT_TRUE(gate->idle_because().empty());
}

TEST_F(MemberGateTest, ALinkIsKeptThenTheRoleSitsInItsEpoch) {
  open(Address::executor(0));
  show(next_link(1, 17));
  ASSERT_EQ(seatings.size(), 2u);
  EXPECT_EQ(seatings[1].epoch, Epoch(1));
  EXPECT_EQ(seatings[1].seat, 0);
  EXPECT_EQ(seatings[1].start, BatchNumber(17));
  EXPECT_EQ(seatings[1].helpers, 1) << "who has left has the state";
  EXPECT_EQ(learnt.executors[1].contact, "contact");
  EXPECT_EQ(ChainFile(file(Address::executor(0))).read(digester())->size(), 1u);
  EXPECT_EQ(host.started, 1) << "it was not ended";

  // Words of the epoch before are not heard, nor are those of who has left.
  host.heard.clear();
  gate->receive(hello(), Address::executor(2), 0);
  gate->receive(enclosed(1, hello()), Address::executor(1), 0);
  EXPECT_TRUE(host.heard.empty());
  gate->receive(enclosed(1, hello()), Address::executor(3), 0);
  EXPECT_EQ(host.heard, std::vector<Address>{Address::executor(1)}) << "the seat's new node";

  sent.clear();
  std::vector<wire::Send> sends{
      {{Address::executor(1)}, std::make_shared<const wire::Message>(hello())}};
  gate->send(sends);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, std::vector<Address>{Address::executor(3)});
  const auto* within = std::get_if<wire::InEpoch>(&*sent[0].message);
  ASSERT_NE(within, nullptr);
  EXPECT_EQ(within->epoch, Epoch(1));
}

TEST_F(MemberGateTest, TheNextProcessSitsWhereTheLastOneDid) {
  open(Address::executor(0));
  show(next_link(1, 17));
  show(next_link(2, 23));
  EXPECT_EQ(gate->epoch(), Epoch(2));
  seatings.clear();
  open(Address::executor(0));
  ASSERT_EQ(seatings.size(), 1u);
  EXPECT_EQ(seatings[0].epoch, Epoch(2));
  EXPECT_EQ(seatings[0].start, BatchNumber(23));
  EXPECT_EQ(learnt.epoch, Epoch(2));
}

TEST_F(MemberGateTest, WhoIsReplacedSaysSoAndGoesOnHearingWhoWantsItsState) {
  open(Address::executor(1));
  show(next_link(1, 17));
  ASSERT_EQ(seatings.size(), 2u);
  EXPECT_FALSE(seatings[1].seat);
  EXPECT_NE(gate->idle_because().find("another node has taken its seat"), std::string::npos);
  host.heard.clear();
  gate->receive(enclosed(1, hello()), Address::executor(0), 0);
  gate->receive(enclosed(1, wire::StateRequest{BatchNumber(17), {}}), Address::executor(0), 0);
  // It hears its successors; what it does with that is its host's business (M10).
  EXPECT_FALSE(host.heard.empty());
  EXPECT_EQ(gate->names(Role::kExecutor).size(), 3u);
}

TEST_F(MemberGateTest, WhileTheDiskDoesNotKeepALinkNothingIsSaidOrHeard) {
  open(Address::executor(0));
  std::filesystem::create_directories(file(Address::executor(0)) / "in the way");
  show(next_link(1, 17));
  EXPECT_EQ(seatings.size(), 1u);
  EXPECT_NE(gate->idle_because().find("does not keep"), std::string::npos);
  host.heard.clear();
  sent.clear();
  gate->receive(enclosed(1, hello()), Address::executor(3), 2'000);
  gate->receive(hello(), Address::executor(2), 2'000);
  std::vector<wire::Send> late{
      {{Address::executor(1)}, std::make_shared<const wire::Message>(hello())}};
  gate->send(late);
  EXPECT_TRUE(late.empty());
  EXPECT_TRUE(host.heard.empty());
  EXPECT_TRUE(sent.empty());

  std::filesystem::remove_all(file(Address::executor(0)));
  const TimeUs due = gate->deadline();
  ASSERT_LT(due, kNever);
  gate->tick(due);
  ASSERT_EQ(seatings.size(), 2u);
  gate->receive(enclosed(1, hello()), Address::executor(3), due);
  EXPECT_FALSE(host.heard.empty());
  EXPECT_TRUE(gate->idle_because().empty());
}

/// The loop would turn without a rest.
TEST_F(MemberGateTest, WhoComesRestsWhileTheDiskDoesNotKeepALink) {
  open(Address::executor(4));
  std::filesystem::create_directories(file(Address::executor(4)) / "in the way");
  show(next_link(1, 17));
  const TimeUs due = gate->deadline();
  for (TimeUs now : {due, due + 500'000, due + 3'000'000}) {
    gate->tick(now);
    EXPECT_GT(gate->deadline(), now);
  }
}

TEST_F(MemberGateTest, ARoleThatCannotSitTriesAgain) {
  open(Address::verifier(0));
  refuse = true;
  show(next_link(1, 17));
  EXPECT_NE(gate->idle_because().find("no room"), std::string::npos);
  refuse = false;
  gate->tick(gate->deadline());
  EXPECT_EQ(seatings.size(), 3u);
  EXPECT_TRUE(gate->idle_because().empty());
}

TEST_F(MemberGateTest, AVerifierSaysFarewellToWhatItKnowsToBeCommitted) {
  open(Address::verifier(0));
  const auto end = evidence({Epoch(), 1, std::nullopt, "contact"}, 9);
  gate->set_committed(
      [&] { return std::pair(BatchNumber(9), membership::testing::token_of(end)); });
  sent.clear();
  gate->receive(wire::EpochEnd{Epoch(), end}, Address::executor(0), 0);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<wire::Farewell>(*sent[0].message));
  EXPECT_EQ(gate->epoch(), Epoch());
  gate->receive(farewell(gate->members(), 1, end), Address::verifier(1), 0);
  EXPECT_EQ(gate->epoch(), Epoch(1));
  EXPECT_EQ(seatings.back().epoch, Epoch(1));
}

/// A verifier in the gate, on a disk that syncs when the test lets it.
struct OnASlowDisk {
  OnASlowDisk(MemberGate& gate, const Seating& seating, const wire::TokenParts& last) {
    disk.permits = [this](const std::string& call) {
      while (hold && call.rfind("sync", 0) == 0) std::this_thread::yield();
      return true;
    };
    VerifierMemory memory;
    memory.options.model = kModel;
    memory.options.start = last.number.prev();
    memory.options.genesis = last.previous;
    memory.book = std::make_unique<durability::PromiseBook>(
        "verifier-0", durability::Durability::kSync, last.previous, digester(), last.number.prev());
    durability::KeeperOptions options;
    options.log = journal::testing::small_options();
    durability::Found found;
    auto keeper = durability::Keeper::open(disk, options, *memory.book, found);
    EXPECT_TRUE(keeper.ok());
    memory.keeper = std::move(*keeper);
    host = std::make_unique<VerifierHost>(loop, gate, digester(), Address::verifier(0), seating,
                                          std::move(memory));
    hold = true;
  }
  ~OnASlowDisk() { hold = false; }
  /// Until the verifier knows it for good.
  bool commits(BatchNumber number) {
    hold = false;
    std::thread runner([this] { loop.run(); });
    const bool done = testing::eventually([&] {
      std::promise<bool> answer;
      loop.post([&] { answer.set_value(host->committed().first == number); });
      return answer.get_future().get();
    });
    loop.stop();
    runner.join();
    return done;
  }

  journal::testing::TestDisk disk;
  std::atomic<bool> hold{false};
  EventLoop loop;
  std::unique_ptr<VerifierHost> host;
};

// Killed in that moment, it would not have voted, although a link says that it knew.
TEST_F(MemberGateTest, NoFarewellBeforeTheVoteThatItRestsOnIsOnDisk) {
  open(Address::verifier(0));
  const auto end = evidence({Epoch(), 1, std::nullopt, "contact"}, 9);
  const auto token = membership::testing::token_of(end);
  OnASlowDisk verifier(*gate, seatings.back(), end.parts);
  gate->set_committed([&] { return verifier.host->committed(); });
  gate->occupy(verifier.host.get());
  gate->start(1'000);
  const auto give = [this](const wire::Message& message, Address from) {
    gate->receive(message, from, 2'000);
    gate->idle(2'000);
  };
  const auto farewells = [this] {
    return std::count_if(sent.begin(), sent.end(), [](const Sent& one) {
      return std::holds_alternative<wire::Farewell>(*one.message);
    });
  };
  for (uint16_t i = 0; i < 2; ++i)
    give(wire::Token{View(), end.parts, token}, Address::executor(i));
  wire::Prepare prepare{View(), BatchNumber(9), token, end.parts.previous, 0, {}};
  const TestKeys peer(Address::verifier(1));
  verification::Notary(kModel, 1, end.parts.previous, peer, BatchNumber(8)).sign(prepare);
  give(prepare, Address::verifier(1));
  give(wire::Commit{View(), BatchNumber(9), token}, Address::verifier(1));
  EXPECT_EQ(verifier.host->status().committed, BatchNumber(9));
  give(wire::EpochEnd{Epoch(), end}, Address::executor(0));
  EXPECT_EQ(farewells(), 0);
  ASSERT_TRUE(verifier.commits(BatchNumber(9)));
  give(wire::EpochEnd{Epoch(), end}, Address::executor(0));
  EXPECT_EQ(farewells(), 1);
  gate->occupy(nullptr);
}

TEST_F(MemberGateTest, WhoComesAsksUntilALinkGivesItASeat) {
  open(Address::executor(3), {Address::executor(3), Address::verifier(3)});
  ASSERT_EQ(seatings.size(), 1u);
  EXPECT_FALSE(seatings[0].seat);
  EXPECT_TRUE(seatings[0].comes) << "it may learn (M14)";
  EXPECT_EQ(gate->idle_because(), "not a member yet");
  sent.clear();
  gate->tick(5'000'000);
  std::set<Address> asked;
  for (const Sent& one : sent) {
    EXPECT_TRUE(std::holds_alternative<wire::ChainWanted>(*one.message));
    asked.insert(one.to.begin(), one.to.end());
  }
  EXPECT_TRUE(asked.contains(Address::executor(0)));
  EXPECT_TRUE(asked.contains(Address::verifier(3))) << "one that joined later may know more";
  EXPECT_FALSE(asked.contains(Address::executor(3)));
  show(next_link(1, 17));
  ASSERT_EQ(seatings.size(), 2u);
  EXPECT_EQ(seatings[1].seat, 1);
  EXPECT_FALSE(seatings[1].comes);
}

TEST_F(MemberGateTest, WhoIsAnnouncedIsLinkedToAndHeardAboutStateOnly) {
  open(Address::executor(0));
  const TestKeys by(Address::client(limits::kOperator));
  const auto bundle =
      wire::make_change({Epoch(), 1, std::nullopt, "contact"},
                        [&by](ByteView bytes) { return by.sign(crypto::Domain::kBundle, bytes); });
  gate->receive(wire::Candidate{bundle}, Address::client(limits::kOperator), 0);
  EXPECT_EQ(learnt.executors[1].contact, "contact");
  EXPECT_EQ(gate->epoch(), Epoch()) << "nobody's seat has changed";
  host.heard.clear();
  gate->receive(hello(), Address::executor(3), 0);
  EXPECT_TRUE(host.heard.empty());
  gate->receive(wire::StateRequest{}, Address::executor(3), 0);
  ASSERT_EQ(host.heard, std::vector<Address>{Address::executor(4)});

  sent.clear();
  std::vector<wire::Send> sends{
      {{host.heard[0]}, std::make_shared<const wire::Message>(wire::StateReply{})}};
  gate->send(sends);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, std::vector<Address>{Address::executor(3)});
}

TEST_F(MemberGateTest, AClientIsToldOfNewMembers) {
  open(Address::client(0));
  seatings.clear();
  show(next_link(1, 17));
  EXPECT_EQ(seatings.size(), 1u);
  host.heard.clear();
  gate->receive(enclosed(1, hello()), Address::executor(3), 0);
  EXPECT_EQ(host.heard, std::vector<Address>{Address::executor(1)});
}

TEST_F(MemberGateTest, AClientThatHasNothingToSayAsksAllTheSame) {
  open(Address::client(0));
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    sent.clear();
    const TimeUs due = gate->deadline();
    ASSERT_LT(due, kNever);
    gate->tick(due);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(std::get<wire::ChainWanted>(*sent[0].message).from.value(), epoch);
    EXPECT_EQ(sent[0].to[1], Address::executor(epoch == 0 ? 1 : 3));
    show(next_link(1, 17 * (epoch + 1)));
  }
}

TEST_F(MemberGateTest, AChainOfAnotherClusterIsRefused) {
  open(Address::executor(0));
  auto link = next_link(1, 17);
  link.farewells.pop_back();
  ASSERT_TRUE(ChainFile(file(Address::executor(0))).write({link}, digester()));
  const auto made = make(Address::executor(0));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.message().find("too few farewells"), std::string::npos);
}

}  // namespace
}  // namespace eve::runtime
