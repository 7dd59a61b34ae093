#include "runtime/gateway_connection.h"

#include <gtest/gtest.h>

#include <chrono>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

using asio::ip::tcp;

/// One request a byte; answers with what the owner says.
class ByteFrontEnd final : public FrontEnd {
 public:
  void on_bytes(Host& host, ByteView bytes) override {
    for (char byte : bytes) host.submit(Bytes(1, byte));
  }
  void on_reply(Host& host, Outcome, ByteView reply) override { host.send(reply); }
};

/// A connection, its client's socket, and an owner that answers when the test says so.
class GatewayConnectionTest : public ::testing::Test, protected GatewayConnection::Owner {
 protected:
  GatewayConnectionTest() : client_(loop_.context()) {
    tcp::acceptor acceptor(loop_.context(), {asio::ip::address_v4::loopback(), 0});
    client_.connect(acceptor.local_endpoint());
    Owner& owner = *this;
    connection_ = std::make_shared<GatewayConnection>(acceptor.accept(), 7, owner);
    connection_->start(std::make_unique<ByteFrontEnd>());
    client_.non_blocking(true);
  }
  ~GatewayConnectionTest() override { connection_->drop(); }

  bool submit(uint64_t connection, Bytes) override {
    EXPECT_EQ(connection, 7u);
    ++submitted_;
    return true;
  }
  void wants_flush(GatewayConnection&) override { wants_flush_ = true; }
  GatewayStats& counters() override { return stats_; }
  TimeUs now() override { return 0; }

  /// Sends what the client's socket takes of `size` bytes; returns how many.
  size_t client_sends(size_t size) {
    std::error_code error;
    return client_.write_some(asio::buffer(Bytes(size, 'x')), error);
  }
  /// Runs handlers until nothing has happened for a while.
  void settle() {
    do {
      if (std::exchange(wants_flush_, false)) connection_->flush();
      loop_.context().restart();
    } while (loop_.context().run_one_for(std::chrono::milliseconds(20)) != 0 || wants_flush_);
  }

  EventLoop loop_;
  tcp::socket client_;
  std::shared_ptr<GatewayConnection> connection_;
  GatewayStats stats_;
  size_t submitted_ = 0;
  bool wants_flush_ = false;
};

TEST_F(GatewayConnectionTest, StopsReadingWhileTooMuchIsOutstanding) {
  size_t sent = 0;
  while (sent < 4 * host_limits::kReadBytes) {
    const auto more = client_sends(host_limits::kReadBytes);
    sent += more;
    settle();
    if (more == 0) break;
  }
  // What one read brought may go beyond, no more.
  const auto paused_at = submitted_;
  EXPECT_GE(paused_at, host_limits::kMaxClientOutstanding);
  EXPECT_LE(paused_at, host_limits::kMaxClientOutstanding + host_limits::kReadBytes);
  size_t replied = 0;
  while (submitted_ < sent) {
    const auto before = submitted_;
    for (; replied < before; ++replied) connection_->on_reply(Outcome::kExecuted, "");
    settle();
    ASSERT_GT(submitted_, before);
  }
  EXPECT_EQ(stats_.requests, sent);
}

TEST_F(GatewayConnectionTest, DropsAClientThatDoesNotRead) {
  client_sends(1000);
  settle();
  ASSERT_EQ(submitted_, 1000u);
  const Bytes reply(1u << 20, 'r');
  for (size_t i = 0; i < 1000 && !connection_->closed(); ++i)
    connection_->on_reply(Outcome::kExecuted, reply);
  EXPECT_TRUE(connection_->closed());
  // Late replies find nobody.
  connection_->on_reply(Outcome::kExecuted, reply);
}

TEST_F(GatewayConnectionTest, AnswersAfterTheEndOfInput) {
  client_sends(2);
  client_.shutdown(tcp::socket::shutdown_send);
  settle();
  EXPECT_FALSE(connection_->closed());
  connection_->on_reply(Outcome::kExecuted, "a");
  connection_->on_reply(Outcome::kExecuted, "b");
  settle();
  EXPECT_TRUE(connection_->closed());
  char buffer[10];
  std::error_code error;
  EXPECT_EQ(client_.read_some(asio::buffer(buffer), error), 2u);
}

TEST_F(GatewayConnectionTest, ClosesAfterWhatWasSaid) {
  connection_->send("goodbye");
  connection_->close();
  connection_->send("not said");
  settle();
  EXPECT_TRUE(connection_->closed());
  char buffer[100];
  std::error_code error;
  EXPECT_EQ(client_.read_some(asio::buffer(buffer), error), 7u);
}

}  // namespace
}  // namespace eve::runtime
