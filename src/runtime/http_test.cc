#include "runtime/http.h"

#include <gtest/gtest.h>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

TEST(Http, ReadsTheRequestLine) {
  const auto parsed = parse_http_request("GET /status?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  ASSERT_TRUE(parsed->has_value());
  EXPECT_EQ((*parsed)->method, "GET");
  EXPECT_EQ((*parsed)->path, "/status");
}

TEST(Http, WaitsForTheWholeHead) {
  const Bytes request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t size = 0; size < request.size(); ++size) {
    const auto parsed = parse_http_request(request.substr(0, size));
    ASSERT_TRUE(parsed.ok());
    EXPECT_FALSE(parsed->has_value());
  }
}

TEST(Http, RefusesWhatIsNone) {
  for (const char* text : {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
                           "GET x HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\n\r\n", "GET / HTTP/2\r\n\r\n",
                           "G\1T / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n\r\n"}) {
    EXPECT_FALSE(parse_http_request(text).ok()) << text;
  }
}

TEST(Http, RefusesEndlessHeads) {
  EXPECT_FALSE(parse_http_request(Bytes(host_limits::kMaxHttpRequestBytes + 1, 'a')).ok());
}

TEST(Http, ResponsesSayHowLongTheyAre) {
  EXPECT_EQ(http_response(200, "text/plain", "ok\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
            "Connection: close\r\n\r\nok\n");
}

}  // namespace
}  // namespace eve::runtime
