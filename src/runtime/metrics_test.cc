#include "runtime/metrics.h"

#include <gtest/gtest.h>

namespace eve::runtime {
namespace {

TEST(Metrics, AreTheNumbersOfTheStatus) {
  EXPECT_EQ(metrics_text(R"({"name": "node-0", "pid": 7, "config": {"u": 1},
      "executor": {"silent": true, "token": "abc", "recent": [1, 2]},
      "links": [{"peer": "node-1", "connected": false, "queued_bytes": 5}],
      "refused": {"total": 2, "by_sender": [{"sender": "a\"b\\c\nd", "count": 2}]}})"),
            "eve_pid{node=\"node-0\"} 7\n"
            "eve_config_u{node=\"node-0\"} 1\n"
            "eve_executor_silent{node=\"node-0\"} 1\n"
            "eve_links_connected{node=\"node-0\",peer=\"node-1\"} 0\n"
            "eve_links_queued_bytes{node=\"node-0\",peer=\"node-1\"} 5\n"
            "eve_refused_total{node=\"node-0\"} 2\n"
            "eve_refused_by_sender_count{node=\"node-0\",sender=\"a\\\"b\\\\c\\nd\"} 2\n");
}

TEST(Metrics, OfNoStatusAreNone) {
  EXPECT_EQ(metrics_text(""), "");
  EXPECT_EQ(metrics_text("[1]"), "");
}

}  // namespace
}  // namespace eve::runtime
