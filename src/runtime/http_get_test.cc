#include "runtime/http_get.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "runtime/http_testing.h"

namespace eve::runtime {
namespace {

using std::chrono::steady_clock;

using testing::say;
using testing::Server;

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
