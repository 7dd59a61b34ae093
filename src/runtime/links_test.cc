#include "runtime/links.h"

#include <gtest/gtest.h>

#include <asio/connect.hpp>
#include <asio/write.hpp>
#include <future>
#include <thread>

#include "base/limits.h"
#include "runtime/host_limits.h"
#include "runtime/roster.h"
#include "runtime/test_support.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

using asio::ip::tcp;
using testing::eventually;
using testing::local_cluster;

/// One node's links, on a thread of their own; remembers what arrives.
class LinkNode final : private Links::Sink {
 public:
  LinkNode(const ClusterConfig& cluster, size_t self, const crypto::SigningKey& key)
      : cluster_(cluster) {
    if (cluster.tls) tls_ = TlsContext::create(key, cluster.nodes[self].name).value();
    Links::Sink& sink = *this;
    links_ = std::make_unique<Links>(loop_, cluster_, self, tls_.get(), sink);
    const auto status = links_->listen();
    EXPECT_TRUE(status.ok()) << status.message();
    loop_.add(*links_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~LinkNode() {
    loop_.stop();
    thread_.join();
  }

  /// Runs `function` on the loop's thread and waits for it.
  template <typename Function>
  auto on_loop(Function function) -> decltype(function(std::declval<Links&>())) {
    auto task = std::make_shared<std::packaged_task<decltype(function(*links_))()>>(
        [this, function] { return function(*links_); });
    auto result = task->get_future();
    loop_.post([task] { (*task)(); });
    return result.get();
  }

  void join(const NodeConfig& node) {
    on_loop([&](Links& links) {
      const auto enlisted = enlist(cluster_, node);
      EXPECT_TRUE(enlisted.ok()) << enlisted.message();
      links.join(enlisted->node);
    });
  }
  bool connected(size_t node) {
    return on_loop([node](Links& links) { return links.connected(node); });
  }
  void send(size_t node, Address from, Address to, const Bytes& payload) {
    const SharedBytes shared(payload);
    on_loop([=](Links& links) { links.send(node, from, to, shared); });
  }
  /// What was refused of `sender`: how often, and why last.
  RefusalLog::Entry refused(const std::string& sender) {
    const auto all = on_loop([](Links& links) { return links.refusals().entries(); });
    for (const auto& entry : all) {
      if (entry.sender == sender) return entry;
    }
    return {};
  }
  std::vector<Bytes> received() {
    std::lock_guard lock(mutex_);
    return received_;
  }
  size_t ups() {
    std::lock_guard lock(mutex_);
    return ups_;
  }

 private:
  void on_frame(size_t, const Route&, SharedBytes payload) override {
    std::lock_guard lock(mutex_);
    received_.emplace_back(payload.view());
  }
  void on_link(size_t, bool up) override {
    std::lock_guard lock(mutex_);
    ups_ += up ? 1 : 0;
  }

  ClusterConfig cluster_;
  EventLoop loop_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<Links> links_;
  std::mutex mutex_;
  std::vector<Bytes> received_;
  size_t ups_ = 0;
  std::thread thread_;
};

/// A cluster of which two nodes run; node 0 listens to node 1.
class LinksTest : public ::testing::TestWithParam<bool> {
 protected:
  LinksTest() : cluster(local_cluster(FaultModel(1, 0), GetParam(), false)) {
    cluster.id = std::string(32, 'a');
    for (auto& node : cluster.nodes) {
      keys.push_back(crypto::SigningKey::generate());
      node.key = keys.back().public_key();
    }
  }

  std::unique_ptr<LinkNode> start(size_t node) {
    return std::make_unique<LinkNode>(cluster, node, keys[node]);
  }
  tcp::socket connect_raw(asio::io_context& context) const {
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), cluster.nodes[0].port});
    return socket;
  }
  /// Connects to node 0's port and sends `bytes`; returns once the other side has closed.
  static void send_raw(uint16_t port, ByteView bytes) {
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), port});
    std::error_code error;
    asio::write(socket, asio::buffer(bytes.data(), bytes.size()), error);
    char buffer[512];
    while (!error) socket.read_some(asio::buffer(buffer), error);
  }

  /// Says `hello` to node 0 as node `self` would; returns once the other side has closed.
  void say_hello(size_t self, const Bytes& hello) {
    if (!cluster.tls) return send_raw(cluster.nodes[0].port, hello);
    auto context = TlsContext::create(keys[self], cluster.nodes[self].name).value();
    auto tls = context->session(TlsSide::kDialed, {keys[0].public_key()});
    asio::io_context io;
    auto socket = connect_raw(io);
    std::error_code error;
    char buffer[4096];
    bool said = false;
    while (!error) {
      if (tls->established() && !said) {
        ASSERT_TRUE(tls->write(hello).ok());
        said = true;
      }
      asio::write(socket, asio::buffer(std::exchange(tls->output(), Bytes())), error);
      const auto got = socket.read_some(asio::buffer(buffer), error);
      if (!tls->receive({buffer, got}).ok()) return;
    }
  }

  ClusterConfig cluster;
  std::vector<crypto::SigningKey> keys;
};

INSTANTIATE_TEST_SUITE_P(, LinksTest, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "tls" : "plain"; });

TEST_P(LinksTest, CarryFramesInOrder) {
  auto a = start(0);
  auto b = start(1);
  ASSERT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));

  std::vector<Bytes> sent;
  for (size_t size : {0u, 1u, 100u, 16'384u, 70'000u, 5'000'000u, 3u}) {
    sent.push_back(Bytes(size, static_cast<char>('a' + sent.size())));
    b->send(0, Address::executor(1), Address::executor(0), sent.back());
    a->send(1, Address::verifier(0), Address::verifier(1), sent.back());
  }
  EXPECT_TRUE(eventually([&] { return a->received().size() == sent.size(); }));
  EXPECT_TRUE(eventually([&] { return b->received().size() == sent.size(); }));
  EXPECT_EQ(a->received(), sent);
  EXPECT_EQ(b->received(), sent);
}

TEST_P(LinksTest, DropFramesFromForeignRoles) {
  auto a = start(0);
  auto b = start(1);
  ASSERT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));
  b->send(0, Address::executor(2), Address::executor(0), "a lie");
  b->send(0, Address::client(0), Address::executor(0), "another");
  b->send(0, Address::executor(1), Address::executor(0), "the truth");
  EXPECT_TRUE(eventually([&] { return !a->received().empty(); }));
  EXPECT_EQ(a->received(), std::vector<Bytes>{"the truth"});
  EXPECT_EQ(a->on_loop([](Links& links) { return links.refused_frames(); }), 2u);
  EXPECT_EQ(a->refused("node-1").count, 2u);
  EXPECT_NE(a->refused("node-1").reason.find("another's role"), std::string::npos);
}

TEST_P(LinksTest, ComeBackAfterARestart) {
  auto a = start(0);
  auto b = start(1);
  ASSERT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));
  a.reset();
  ASSERT_TRUE(eventually([&] { return !b->connected(0); }));
  b->send(0, Address::executor(1), Address::executor(0), "into the void");
  a = start(0);
  ASSERT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));
  b->send(0, Address::executor(1), Address::executor(0), "back");
  EXPECT_TRUE(eventually([&] { return a->received() == std::vector<Bytes>{"back"}; }));
  EXPECT_GE(b->ups(), 2u);
}

TEST_P(LinksTest, RefuseAnotherCluster) {
  auto a = start(0);
  cluster.id = std::string(32, 'b');
  auto b = start(1);
  EXPECT_TRUE(eventually(
      [&] { return a->on_loop([](Links& links) { return links.refused_connections(); }) > 0; }));
  EXPECT_FALSE(a->connected(1));
  EXPECT_EQ(a->ups(), 0u);
  // Without TLS, who it is remains to be proved: it is known by where it came from.
  const auto reason = a->refused(GetParam() ? "node-1" : "127.0.0.1").reason;
  EXPECT_NE(reason.find("another cluster, bbb"), std::string::npos) << reason;
}

// A newer and an older release: whoever refuses says which two versions do not fit, and whose the
// other one is. The nodes of this version go on.
TEST_P(LinksTest, RefuseOtherVersionsAndGoOn) {
  for (const int step : {1, -1}) {
    auto a = start(0);
    auto hello = encode_hello({cluster.id, "node-1"});
    auto& version = hello[kLengthBytes + 3];
    version = static_cast<char>(version + step);
    say_hello(1, hello);
    const auto reason = a->refused(GetParam() ? "node-1" : "127.0.0.1").reason;
    EXPECT_EQ(reason, "the peer, which says it is \"node-1\", speaks version " +
                          std::to_string(wire::kWireVersion + step) + ", this node " +
                          std::to_string(wire::kWireVersion) + ": run the same release");
    EXPECT_EQ(a->ups(), 0u);
    auto c = start(2);
    EXPECT_TRUE(eventually([&] { return a->connected(2) && c->connected(0); }));
    c->send(0, Address::executor(2), Address::executor(0), "we go on");
    EXPECT_TRUE(eventually([&] { return a->received() == std::vector<Bytes>{"we go on"}; }));
  }
}

TEST_P(LinksTest, RefuseTheWrongKey) {
  if (!GetParam()) GTEST_SKIP() << "plain links trust the network";
  auto a = start(0);
  keys[1] = crypto::SigningKey::generate();
  auto b = start(1);
  EXPECT_TRUE(eventually(
      [&] { return a->on_loop([](Links& links) { return links.refused_connections(); }) > 0; }));
  EXPECT_FALSE(a->connected(1));
  EXPECT_EQ(a->ups(), 0u);
  EXPECT_NE(a->refused("127.0.0.1").reason.find("none that cluster.toml names"), std::string::npos)
      << a->refused("127.0.0.1").reason;
  // The one that dials knows whom: its side tells the peer's name.
  EXPECT_TRUE(eventually([&] { return b->refused("node-0").count > 0; }));
}

TEST_P(LinksTest, RefuseWhatWasRecordedWithoutTls) {
  if (!GetParam()) GTEST_SKIP() << "plain links trust the network";
  auto a = start(0);
  const auto header = make_header(Address::executor(1), Address::executor(0), 7);
  send_raw(cluster.nodes[0].port,
           encode_hello({cluster.id, "node-1"}) + Bytes(header.data(), header.size()) + "a batch");
  EXPECT_EQ(a->ups(), 0u);
  EXPECT_TRUE(a->received().empty());
  EXPECT_NE(a->refused("127.0.0.1").reason.find("TLS handshake failed"), std::string::npos);
}

TEST_P(LinksTest, SilentStrangersDoNotKeepPeersOut) {
  auto a = start(0);
  asio::io_context context;
  std::vector<tcp::socket> strangers;
  constexpr size_t kStrangers = 2 * host_limits::kMaxPendingStrangers;
  for (size_t i = 0; i < kStrangers; ++i) {
    strangers.push_back(connect_raw(context));
  }
  const auto begin = std::chrono::steady_clock::now();
  auto b = start(1);
  EXPECT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));
  // They would be given up after kHandshakeUs.
  EXPECT_LT(std::chrono::steady_clock::now() - begin,
            std::chrono::microseconds(host_limits::kHandshakeUs / 2));
  EXPECT_GE(a->refused("127.0.0.1").count, kStrangers - host_limits::kMaxPendingPerAddress);
  EXPECT_NE(a->refused("127.0.0.1").reason.find("made room"), std::string::npos);
}

TEST_P(LinksTest, StrangersFromElsewhereDoNotEndAPeersHandshake) {
  if (GetParam()) GTEST_SKIP() << "the same code, and here it is plain what a peer sends when";
  auto a = start(0);
  asio::io_context context;
  auto peer = connect_raw(context);
  std::vector<tcp::socket> strangers;
  for (uint32_t i = 0; i < 2 * host_limits::kMaxPendingStrangers; ++i) {
    auto& socket = strangers.emplace_back(context, tcp::v4());
    socket.bind({asio::ip::address_v4(0x7f000002 + i % 200), 0});  // 127.0.0.2 and so on
    socket.connect({asio::ip::address_v4::loopback(), cluster.nodes[0].port});
  }
  EXPECT_TRUE(eventually([&] {
    return a->on_loop([](Links& links) { return links.refused_connections(); }) >=
           host_limits::kMaxPendingStrangers;
  }));
  asio::write(peer, asio::buffer(encode_hello({cluster.id, "node-1"})));
  EXPECT_TRUE(eventually([&] { return a->connected(1); }, 2));
}

TEST_P(LinksTest, APeerThatNeverReadsSlowsNobody) {
  if (GetParam()) GTEST_SKIP() << "the same code, slower";
  auto a = start(0);
  auto reader = start(2);
  asio::io_context context;
  auto silent = connect_raw(context);
  asio::write(silent, asio::buffer(encode_hello({cluster.id, "node-1"})));
  ASSERT_TRUE(eventually([&] { return a->connected(1) && a->connected(2); }));
  const SharedBytes payload(Bytes(1u << 20, 'x'));
  constexpr size_t kRounds = 100;
  for (size_t i = 0; i < kRounds; ++i) {
    a->on_loop([&](Links& links) {
      links.send(1, Address::executor(0), Address::executor(1), payload);
      links.send(2, Address::executor(0), Address::executor(2), SharedBytes(Bytes("for you")));
    });
  }
  EXPECT_TRUE(eventually([&] { return reader->received().size() == kRounds; }, 2));
  const auto queued = a->on_loop([](Links& links) { return links.status()[0].queued_bytes; });
  EXPECT_GT(queued, kRounds * payload.size() / 2) << "it was read after all";
  EXPECT_LE(queued, limits::kMaxLinkQueueBytes);
}

TEST_P(LinksTest, SurviveGarbage) {
  auto a = start(0);
  const auto port = cluster.nodes[0].port;
  const auto hello = encode_hello({cluster.id, "node-1"});
  send_raw(port,
           "GET / HTTP/1.1\r\nHost: somebody\r\n\r\n and so on, for more than a hello's size ");
  send_raw(port, Bytes(1000, '\xff'));
  send_raw(port, Bytes("\0\0\0\0", 4));
  if (!GetParam()) {
    // A peer that is who it says it is, and then sends a frame beyond the limit.
    send_raw(port, hello + Bytes("\xff\xff\xff\xff", 4));
    EXPECT_EQ(a->ups(), 1u);
    // One that should have been dialed, or does not exist.
    send_raw(port, encode_hello({cluster.id, "node-0"}));
    send_raw(port, encode_hello({cluster.id, "nobody"}));
  }
  auto b = start(1);
  EXPECT_TRUE(eventually([&] { return a->connected(1) && b->connected(0); }));
}

TEST_P(LinksTest, CloseWhenThePeerReadsTooSlowly) {
  if (GetParam()) GTEST_SKIP() << "the same code, slower";
  auto a = start(0);
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), cluster.nodes[0].port});
  asio::write(socket, asio::buffer(encode_hello({cluster.id, "node-1"})));
  ASSERT_TRUE(eventually([&] { return a->connected(1); }));
  const SharedBytes payload(Bytes(16u << 20, 'x'));
  // By reference: the queue holds one payload many times.
  const size_t fits = limits::kMaxLinkQueueBytes / payload.size();
  for (size_t i = 0; i < fits + 2; ++i) {
    a->on_loop(
        [&](Links& links) { links.send(1, Address::executor(0), Address::executor(1), payload); });
  }
  EXPECT_TRUE(eventually([&] { return !a->connected(1); }));
}

/// Nodes that are in nobody's cluster.toml from the beginning.
class JoinTest : public LinksTest {
 protected:
  NodeConfig late(uint16_t epoch) {
    NodeConfig node;
    node.name = "late-" + std::to_string(epoch);
    node.host = "127.0.0.1";
    node.port = testing::free_ports(1)[0];
    const auto index = static_cast<uint16_t>(2 + epoch);
    node.roles = {Address::executor(index), Address::verifier(index)};
    keys.push_back(crypto::SigningKey::generate());
    node.key = keys.back().public_key();
    return node;
  }
  /// `nodes`: whom it knows beside those of the beginning, itself the last.
  std::unique_ptr<LinkNode> start_late(const std::vector<NodeConfig>& nodes,
                                       const crypto::SigningKey& key) {
    auto known = cluster;
    for (const auto& node : nodes) known.nodes.push_back(node);
    return std::make_unique<LinkNode>(known, known.nodes.size() - 1, key);
  }
  size_t first() const { return cluster.nodes.size(); }
};

INSTANTIATE_TEST_SUITE_P(, JoinTest, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "tls" : "plain"; });

TEST_P(JoinTest, ANodeThatJoinsGetsALinkWhileTheOthersRun) {
  auto a = start(0);
  auto b = start(1);
  const auto node = late(1);
  auto c = start_late({node}, keys.back());
  EXPECT_TRUE(eventually([&] {
    return a->on_loop([](Links& links) { return links.refused_connections(); }) > 0;
  })) << "a stranger so far";
  ASSERT_TRUE(eventually([&] { return a->connected(1); }));
  const auto ups = a->ups();

  a->join(node);
  ASSERT_TRUE(eventually([&] { return a->connected(first()) && c->connected(0); }));
  a->send(first(), Address::executor(0), Address::executor(3), "welcome");
  c->send(0, Address::verifier(3), Address::executor(0), "thank you");
  c->send(0, Address::verifier(1), Address::executor(0), "a lie");
  EXPECT_TRUE(eventually([&] { return a->received() == std::vector<Bytes>{"thank you"}; }));
  EXPECT_TRUE(eventually([&] { return c->received() == std::vector<Bytes>{"welcome"}; }));
  EXPECT_TRUE(eventually([&] { return a->refused("late-1").count == 1; }));
  EXPECT_EQ(a->ups(), ups + 1) << "the others' links stay";
  a->send(1, Address::executor(0), Address::executor(1), "still here");
  EXPECT_TRUE(eventually([&] { return b->received() == std::vector<Bytes>{"still here"}; }));

  a->join(node);
  b->join(node);
  EXPECT_TRUE(eventually([&] { return b->connected(first()) && a->connected(first()); }));
  const auto status = b->on_loop([](Links& links) { return links.status(); });
  EXPECT_EQ(status.back().peer, "late-1");
  EXPECT_TRUE(status.back().connected);
}

TEST_P(JoinTest, TwoThatJoinedMeetWhateverTheyLearntFirst) {
  const auto one = late(1);
  const auto two = late(2);
  auto b = start_late({one, two}, keys.back());
  auto a = start_late({one}, keys[keys.size() - 2]);
  a->join(two);
  EXPECT_TRUE(eventually([&] { return a->connected(first() + 1) && b->connected(first()); }));
  auto c = start(2);
  c->join(two);
  c->join(one);
  EXPECT_TRUE(eventually([&] { return c->connected(first()) && c->connected(first() + 1); }));
  EXPECT_TRUE(eventually([&] { return a->connected(2) && b->connected(2); }));
}

TEST_P(JoinTest, TheOneThatJoinedProvesItsKey) {
  if (!GetParam()) GTEST_SKIP() << "plain links trust the network";
  auto a = start(0);
  const auto node = late(1);
  a->join(node);
  auto false_one = start_late({node}, crypto::SigningKey::generate());
  EXPECT_TRUE(eventually([&] { return a->refused("127.0.0.1").count > 0; }));
  EXPECT_FALSE(a->connected(first()));
  EXPECT_EQ(a->ups(), 0u);
}

TEST_P(JoinTest, WhatTheChainSaysTakesThePlaceOfWhatTheFileSaid) {
  auto outdated = late(1);
  const auto& old_key = keys.back();
  cluster.nodes.push_back(outdated);  // in everybody's file
  auto a = start(0);
  auto b = start_late({}, old_key);
  ASSERT_TRUE(eventually([&] { return a->connected(first() - 1); }));
  auto right = outdated;
  right.name = "another";
  right.port = testing::free_ports(1)[0];
  const auto key = crypto::SigningKey::generate();
  right.key = key.public_key();
  a->join(right);
  EXPECT_FALSE(a->connected(first() - 1)) << "the old link has ended";
  EXPECT_TRUE(eventually([&] { return !b->connected(0); }));
  cluster.nodes.back() = right;
  auto c = start_late({}, key);
  EXPECT_TRUE(eventually([&] { return a->connected(first() - 1) && c->connected(0); }));
  a->send(first() - 1, Address::executor(0), Address::executor(3), "you");
  EXPECT_TRUE(eventually([&] { return c->received() == std::vector<Bytes>{"you"}; }));
  EXPECT_FALSE(b->connected(0));
}

TEST_P(JoinTest, TheOperatorIsThereWhileItAsks) {
  cluster.operator_key = crypto::SigningKey::generate().public_key();
  cluster = with_everybody(cluster);
  keys.push_back(crypto::SigningKey::generate());
  cluster.nodes.back().key = keys.back().public_key();
  auto a = start(0);
  const auto peers = [&] { return a->on_loop([](Links& links) { return links.status().size(); }); };
  const auto without = peers();
  {
    auto operators = start(first() - 1);
    ASSERT_TRUE(eventually([&] { return a->connected(first() - 1) && operators->connected(0); }));
    EXPECT_EQ(peers(), without + 1);
    operators->send(0, Address::client(limits::kOperator), Address::executor(0), "a wish");
    EXPECT_TRUE(eventually([&] { return a->received() == std::vector<Bytes>{"a wish"}; }));
  }
  EXPECT_TRUE(eventually([&] { return !a->connected(first() - 1); }));
  EXPECT_EQ(peers(), without) << "nobody misses it";
}

TEST_P(JoinTest, CommandsOfTheOperatorAreThereSideBySide) {
  cluster.operator_key = crypto::SigningKey::generate().public_key();
  cluster = with_everybody(cluster);
  keys.push_back(crypto::SigningKey::generate());
  cluster.nodes.back().key = keys.back().public_key();
  auto a = start(0);
  std::vector<std::unique_ptr<LinkNode>> commands;
  for (size_t i = 0; i < host_limits::kMaxOperatorLinks; ++i) {
    commands.push_back(start(first() - 1));
    ASSERT_TRUE(eventually([&] { return commands.back()->connected(0); }));
  }
  const auto operators = Address::client(limits::kOperator);
  for (const auto& command : commands) command->send(0, operators, Address::executor(0), "a wish");
  ASSERT_TRUE(eventually([&] { return a->received().size() == commands.size(); }));
  a->send(first() - 1, Address::executor(0), operators, "an answer");
  for (const auto& command : commands) {
    EXPECT_TRUE(eventually([&] { return command->received() == std::vector<Bytes>{"an answer"}; }));
    EXPECT_EQ(command->ups(), 1u) << "nobody has taken its link";
  }
  EXPECT_EQ(a->ups(), 1u);

  // One more: the oldest makes room, who may have died without a word.
  auto another = start(first() - 1);
  EXPECT_TRUE(eventually([&] { return another->connected(0) && commands[0]->ups() > 1; }));
  commands.clear();
  EXPECT_TRUE(eventually([&] { return another->connected(0); }));
  EXPECT_TRUE(a->connected(first() - 1));
  another = nullptr;
  EXPECT_TRUE(eventually([&] { return !a->connected(first() - 1); }));
}

}  // namespace
}  // namespace eve::runtime
