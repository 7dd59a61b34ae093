// Whole clusters in one process, over real sockets.
#include "runtime/node.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eve/client.h"
#include "runtime/asio.h"
#include "runtime/http_get.h"
#include "runtime/node_testing.h"

#include <asio/read.hpp>
#include <asio/write.hpp>

namespace eve::runtime {
namespace {

using nlohmann::json;
using testing::add_many;
using testing::eventually;
using testing::local_cluster;
using testing::TemporaryFolder;
using testing::TestCluster;

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
