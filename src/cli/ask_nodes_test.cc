#include "cli/ask_nodes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/http_testing.h"

namespace eve::cli {
namespace {

using nlohmann::json;

/// What is said of node-1 when this is answered at its status port.
json said(const std::string& body) {
  runtime::testing::Server server(
      [&](int peer) { runtime::testing::say(peer, "HTTP/1.1 200 OK\r\n\r\n" + body); });
  runtime::NodeConfig node;
  node.name = "node-1";
  node.host = "127.0.0.1";
  node.status_port = server.port();
  return ask_status(node);
}

// A node may be replaced by one on its own host and ports.
TEST(AskStatus, AnAnswerIsOfWhoWasAsked) {
  EXPECT_EQ(said(R"({"name":"node-1","a":1})"), json({{"name", "node-1"}, {"a", 1}}));
  for (const char* body :
       {R"({"name":"node-4","a":1})", "{}", R"({"name":7})", "null", "[]", "x"}) {
    const json answer = said(body);
    EXPECT_TRUE(answer.contains("error")) << body;
    EXPECT_EQ(answer["name"], "node-1");
    EXPECT_FALSE(answer.contains("a"));
  }
}

TEST(AskStatus, ANodeDoesNotSayWhatIsSaidOfIt) {
  EXPECT_EQ(said(R"({"name":"node-1","error":"no","replaced":true})"), json({{"name", "node-1"}}));
}

}  // namespace
}  // namespace eve::cli
