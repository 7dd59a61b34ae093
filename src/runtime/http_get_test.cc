#include "runtime/http_get.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

namespace eve::runtime {
namespace {

using std::chrono::steady_clock;

/// Takes one connection and does with it what it is told.
class Server {
 public:
  explicit Server(std::function<void(int)> serve) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int peer = accept(listener_, nullptr, nullptr);
      char request[1024];
      EXPECT_GT(recv(peer, request, sizeof request, 0), 0);
      serve(peer);
      close(peer);
    });
  }
  ~Server() {
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

bool say(int peer, const std::string& text) {
  return send(peer, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

TEST(HttpGet, TheTimeoutIsForTheWholeExchange) {
  Server drips([](int peer) {
    say(peer, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 200 && say(peer, "x"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const auto begin = steady_clock::now();
  const auto body = http_get("127.0.0.1", drips.port(), "/status", 200);
  const auto took = steady_clock::now() - begin;
  ASSERT_FALSE(body.ok()) << "four seconds of drops were read";
  EXPECT_EQ(body.message(), "timed out");
  EXPECT_LT(took, std::chrono::seconds(2));
}

TEST(HttpGet, AFloodIsRefused) {
  Server floods([](int peer) {
    say(peer, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string much(1u << 20, 'x');
    for (int i = 0; i < 12 && say(peer, much); ++i) continue;
  });
  const auto body = http_get("127.0.0.1", floods.port(), "/status", 20'000);
  ASSERT_FALSE(body.ok());
  EXPECT_EQ(body.message(), "the answer is too long");
}

TEST(HttpGet, TheBodyIsWhatFollowsTheHead) {
  Server fine([](int peer) { say(peer, "HTTP/1.1 200 OK\r\nA: b\r\n\r\nok\n"); });
  EXPECT_EQ(*http_get("127.0.0.1", fine.port(), "/healthz", 5'000), "ok\n");
}

}  // namespace
}  // namespace eve::runtime
