// The arbiter over a stub of etcd: what it answers is what the test says.
#include "runtime/etcd_arbiter.h"

#include <gtest/gtest.h>

#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

namespace eve::runtime {
namespace {

using asio::ip::tcp;

/// Answers each connection once, on the arbiter's own loop.
class Stub {
 public:
  explicit Stub(EventLoop& loop)
      : acceptor_(loop.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    accept();
  }
  EtcdEndpoint endpoint() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }
  pair::Record record;  ///< no question changes it
  size_t questions = 0;

 private:
  void accept() {
    acceptor_.async_accept([this](const std::error_code& failed, tcp::socket socket) {
      if (failed) return;
      ++questions;
      const std::string value = to_base64(pair::format_record(record));
      const std::string body =
          R"({"responses":[{"response_range":{"kvs":[{"value":")" + value + R"("}]}}]})";
      std::string head;
      std::error_code ignored;
      asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n{", ignored);
      asio::write(socket, asio::buffer("HTTP/1.0 200 OK\r\n\r\n" + body), ignored);
      socket.shutdown(tcp::socket::shutdown_send, ignored);
      accept();
    });
  }
  tcp::acceptor acceptor_;
};

class EtcdArbiterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "eve-etcd-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// Turns of the loop for that long, or until there is an answer.
  std::optional<pair::Record> answer_within(EtcdArbiter& arbiter, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::milliseconds(2));
      arbiter.tick(clock_.now());
      if (const auto answer = arbiter.take_answer()) return answer;
    }
    return std::nullopt;
  }

  std::filesystem::path directory_;
  EventLoop loop_;
  Clock clock_;
};

TEST_F(EtcdArbiterTest, AnOlderRecordThanWasSeenIsNoAnswer) {
  const pair::Record seen{View(6), {7, 9}};
  const pair::Record restored{View(4), {7, 0}};
  const pair::Record wanted{View(8), {7, 0}};
  Stub stub(loop_);
  stub.record = restored;
  auto file = RecordFile::open(directory_, Address::executor(0));
  ASSERT_TRUE(file.ok() && file->write(seen).ok());
  EtcdArbiter arbiter(loop_, {stub.endpoint()}, "/k", std::move(*file));
  arbiter.ask({seen, wanted, true});
  EXPECT_EQ(answer_within(arbiter, std::chrono::milliseconds(400)), std::nullopt);
  EXPECT_NE(arbiter.trouble().find("older record (epoch 4)"), std::string::npos)
      << arbiter.trouble();
  EXPECT_NE(arbiter.trouble().find("put into the key"), std::string::npos);
  EXPECT_GT(stub.questions, 1u);
  EXPECT_LT(stub.questions, 10u) << "ever more seldom";
  EXPECT_EQ(RecordFile::open(directory_, Address::executor(0))->record(), seen);
  stub.record = seen;  // somebody has put it back
  EXPECT_EQ(answer_within(arbiter, std::chrono::seconds(10)), seen);
  EXPECT_TRUE(arbiter.trouble().empty());
}

}  // namespace
}  // namespace eve::runtime
