// Whole clusters in one process, over real sockets, for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "eve/client.h"
#include "eve/state.h"
#include "runtime/http_get.h"
#include "runtime/node.h"
#include "runtime/test_support.h"

namespace eve::runtime::testing {

using nlohmann::json;

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
  void on_reply(Host& host, Outcome outcome, ByteView reply) override {
    host.send(outcome == Outcome::kExecuted ? reply : ByteView("unknown"));
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
  TestCluster(FaultModel model, bool tls,
              durability::Durability durability = durability::Durability::kMemory)
      : durability_(durability) {
    auto status = write_cluster(folder_.path(), local_cluster(model, tls, true));
    EXPECT_TRUE(status.ok()) << status.message();
    config_ = *read_cluster(file());
    for (const auto& node : config_.nodes) {
      if (node.name != "client") start(node.name);
    }
  }

  const std::filesystem::path& directory() const { return folder_.path(); }
  const ClusterConfig& config() const { return config_; }
  /// Nodes that start from now on know this one, which joins later.
  void add_joined(const NodeConfig& node) { config_.joined.push_back(node); }
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
    options.durability = durability_;
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
  durability::Durability durability_;
  TemporaryFolder folder_;
  LineFactory factory_;
  ClusterConfig config_;
  std::map<std::string, std::unique_ptr<RunningNode>> nodes_;
};

/// Adds `count` times, all outstanding at once; expects the sums after `before`, in order.
inline void add_many(Client& client, uint64_t before, uint64_t count) {
  std::vector<std::future<Result<Bytes>>> replies;
  for (uint64_t i = 0; i < count; ++i) replies.push_back(client.call("add x"));
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_EQ(replies[i].wait_for(std::chrono::seconds(30)), std::future_status::ready) << i;
    const auto reply = replies[i].get();
    ASSERT_TRUE(reply.ok()) << reply.message();
    ASSERT_EQ(*reply, std::to_string(before + i + 1));
  }
}

}  // namespace eve::runtime::testing
