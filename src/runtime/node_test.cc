// Whole clusters in one process, over real sockets.
#include "runtime/node.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "eve/client.h"
#include "eve/state.h"
#include "runtime/asio.h"
#include "runtime/http_get.h"
#include "runtime/test_support.h"

#include <asio/read.hpp>
#include <asio/write.hpp>

namespace eve::runtime {
namespace {

using nlohmann::json;
using testing::eventually;
using testing::local_cluster;
using testing::TemporaryFolder;

/// Counters: "add NAME" adds one and answers with the sum.
class Counters final : public Service {
 public:
  explicit Counters(State& state) : sums_(state, "sums") {}
  void footprint(ByteView request, Footprint& out) const override { out.write(request); }
  void execute(Context& context, ByteView request, Bytes& reply) override {
    const auto name = std::string(request.substr(std::min<size_t>(request.size(), 4)));
    const auto sum = sums_.get(context, name).value_or(0) + 1;
    sums_.put(context, name, sum);
    reply = std::to_string(sum);
  }

 private:
  Map<std::string, uint64_t> sums_;
};

/// Lines in, lines out.
class LineFrontEnd final : public FrontEnd {
 public:
  void on_bytes(Host& host, ByteView bytes) override {
    received_ += bytes;
    for (auto end = received_.find('\n'); end != Bytes::npos; end = received_.find('\n')) {
      if (!host.submit(received_.substr(0, end))) host.send("overloaded\n");
      received_.erase(0, end + 1);
    }
  }
  void on_reply(Host& host, bool executed, ByteView reply) override {
    host.send(executed ? reply : ByteView("unknown"));
    host.send("\n");
  }

 private:
  Bytes received_;
};

class LineFactory final : public FrontEndFactory {
 public:
  std::unique_ptr<FrontEnd> make(uint64_t, const std::string&, const GatewayStats&) override {
    return std::make_unique<LineFrontEnd>();
  }
};

/// A node on a thread of its own.
class RunningNode {
 public:
  explicit RunningNode(NodeOptions options) {
    const auto name = options.node;
    auto made = Node::create(std::move(options));
    EXPECT_TRUE(made.ok()) << name << ": " << made.message();
    if (!made.ok()) return;
    node_ = std::move(*made);
    thread_ = std::thread([this] { node_->run([this] { ready_ = true; }); });
  }
  ~RunningNode() {
    if (!node_) return;
    node_->stop();
    thread_.join();
  }
  bool ready() const { return ready_; }

 private:
  std::unique_ptr<Node> node_;
  std::atomic<bool> ready_{false};
  std::thread thread_;
};

class TestCluster {
 public:
  TestCluster(FaultModel model, bool tls) {
    auto status = write_cluster(folder_.path(), local_cluster(model, tls, true));
    EXPECT_TRUE(status.ok()) << status.message();
    config_ = *read_cluster(file());
    for (const auto& node : config_.nodes) {
      if (node.name != "client") start(node.name);
    }
  }

  std::string file() const { return (folder_.path() / "cluster.toml").string(); }
  const NodeConfig& node(const std::string& name) const { return *config_.find(name); }
  bool ready(const std::string& name) const { return nodes_.at(name)->ready(); }
  void stop(const std::string& name) { nodes_.erase(name); }
  void start(const std::string& name) {
    NodeOptions options;
    options.cluster = config_;
    options.node = name;
    options.directory = folder_.path();
    options.threads = 2;
    options.make_service = [](State& state) { return std::make_unique<Counters>(state); };
    options.front_end = &factory_;
    nodes_[name] = std::make_unique<RunningNode>(std::move(options));
  }
  json status(const std::string& name) const {
    const auto text = http_get("127.0.0.1", node(name).status_port, "/status", 5'000);
    EXPECT_TRUE(text.ok()) << text.message();
    return text.ok() ? json::parse(*text) : json();
  }
  /// Whether all executors hold the same committed state.
  bool agree() const {
    std::set<std::pair<uint64_t, std::string>> seen;
    for (uint16_t i = 0; i < config_.model.executors(); ++i) {
      const auto executor = status("node-" + std::to_string(i))["executor"];
      seen.emplace(executor["committed"], executor["state_root"]);
    }
    return seen.size() == 1;
  }

 private:
  TemporaryFolder folder_;
  LineFactory factory_;
  ClusterConfig config_;
  std::map<std::string, std::unique_ptr<RunningNode>> nodes_;
};

/// Adds `count` times, all outstanding at once; expects the sums after `before`, in order.
void add_many(Client& client, uint64_t before, uint64_t count) {
  std::vector<std::future<Result<Bytes>>> replies;
  for (uint64_t i = 0; i < count; ++i) replies.push_back(client.call("add x"));
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_EQ(replies[i].wait_for(std::chrono::seconds(30)), std::future_status::ready) << i;
    const auto reply = replies[i].get();
    ASSERT_TRUE(reply.ok()) << reply.message();
    ASSERT_EQ(*reply, std::to_string(before + i + 1));
  }
}

/// Sends lines to a gateway, ends its input, and reads until it closes.
Bytes talk(uint16_t port, const Bytes& lines) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), port});
  asio::write(socket, asio::buffer(lines));
  socket.shutdown(asio::ip::tcp::socket::shutdown_send);
  Bytes replies;
  std::error_code end;
  asio::read(socket, asio::dynamic_buffer(replies), end);
  return replies;
}

void exercise(TestCluster& cluster) {
  auto client = Client::connect(cluster.file(), "client");
  ASSERT_TRUE(client.ok()) << client.message();
  add_many(**client, 0, 1);
  add_many(**client, 1, 500);

  ASSERT_TRUE(eventually([&] { return cluster.ready("gateway"); }));
  EXPECT_EQ(talk(cluster.node("gateway").service_port, "add y\nadd y\nadd z\n"), "1\n2\n1\n");

  EXPECT_TRUE(eventually([&] { return cluster.agree(); }));
  const auto status = cluster.status("gateway");
  EXPECT_EQ(status["gateway"]["requests"], 3);
  EXPECT_EQ(status["gateway"]["open"], true);
}

TEST(Node, CrashClusterServesOverPlainLinks) {
  TestCluster cluster(FaultModel(1, 0), false);
  exercise(cluster);
}

TEST(Node, ByzantineClusterServesOverTls) {
  TestCluster cluster(FaultModel(1, 1), true);
  exercise(cluster);
}

TEST(Node, ExecutorsComeBack) {
  TestCluster cluster(FaultModel(1, 0), true);
  auto client = Client::connect(cluster.file(), "client");
  ASSERT_TRUE(client.ok()) << client.message();
  add_many(**client, 0, 50);
  cluster.stop("node-2");
  add_many(**client, 50, 50);
  cluster.start("node-2");
  add_many(**client, 100, 50);
  EXPECT_TRUE(eventually([&] { return cluster.agree(); }));
  EXPECT_TRUE(eventually([&] { return cluster.status("node-2")["executor"]["silent"] == false; }));

  // The primary of whatever view it is now, too.
  const uint64_t primary = cluster.status("node-0")["executor"]["primary"];
  cluster.stop("node-" + std::to_string(primary));
  add_many(**client, 150, 20);
  cluster.start("node-" + std::to_string(primary));
  add_many(**client, 170, 20);
  EXPECT_TRUE(eventually([&] { return cluster.agree(); }));
}

TEST(Node, StatusNamesWhatIsPlayed) {
  TestCluster cluster(FaultModel(1, 0), false);
  ASSERT_TRUE(eventually([&] { return cluster.ready("gateway"); }));
  const auto status = cluster.status("node-0");
  EXPECT_EQ(status["name"], "node-0");
  EXPECT_EQ(status["config"]["u"], 1);
  EXPECT_EQ(status["roles"], json::parse(R"(["executor-0", "verifier-0"])"));
  EXPECT_TRUE(status.contains("executor") && status.contains("verifier"));
  uint64_t objects = 0;
  for (const auto& container : status["executor"]["containers"]) {
    objects += container["objects"].get<uint64_t>();
    EXPECT_LT(container["bytes"], container["memory_bytes"]);
    EXPECT_LT(container["memory_bytes"], status["executor"]["memory_bytes"]);
  }
  EXPECT_FALSE(status["executor"]["containers"].empty());
  EXPECT_EQ(objects, status["executor"]["objects"]);
  EXPECT_FALSE(status.contains("gateway"));
  EXPECT_EQ(status["links"].size(), 4u);
  EXPECT_EQ(cluster.status("gateway")["gateway"]["port"], cluster.node("gateway").service_port);
  const auto port = cluster.node("node-0").status_port;
  EXPECT_EQ(*http_get("127.0.0.1", port, "/healthz", 5'000), "ok\n");
  const auto metrics = http_get("127.0.0.1", port, "/metrics", 5'000);
  ASSERT_TRUE(metrics.ok()) << metrics.message();
  EXPECT_NE(metrics->find("eve_refused_total{node=\"node-0\"} 0\n"), Bytes::npos) << *metrics;
  EXPECT_FALSE(http_get("127.0.0.1", port, "/secret", 5'000).ok());
}

TEST(Node, CreateSaysWhatIsMissing) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 0), true, false)).ok());
  NodeOptions options;
  options.cluster = *read_cluster(folder.path() / "cluster.toml");
  options.directory = folder.path();
  const auto message = [&](const std::string& node) {
    options.node = node;
    auto made = Node::create(options);
    return made.ok() ? std::string() : made.message();
  };
  EXPECT_NE(message("nobody").find("no node"), std::string::npos);
  EXPECT_NE(message("node-0").find("needs a service"), std::string::npos);
  EXPECT_NE(message("client").find("eve::Client"), std::string::npos);
  EXPECT_FALSE(Client::connect((folder.path() / "cluster.toml").string(), "node-0").ok());
  ClientOptions hasty;
  hasty.connect_timeout = std::chrono::milliseconds(50);
  const auto alone = Client::connect((folder.path() / "cluster.toml").string(), "client", hasty);
  EXPECT_NE(alone.message().find("is it running"), std::string::npos);
}

}  // namespace
}  // namespace eve::runtime
