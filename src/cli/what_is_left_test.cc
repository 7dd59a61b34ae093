#include "cli/what_is_left.h"

#include <gtest/gtest.h>

#include "cli/layout.h"

namespace eve::cli {
namespace {

std::string left(Layout layout, const std::vector<std::string>& down) {
  static const auto split = local_layout(FaultModel(1, 1), Layout::kSplit, {6379}, "kv").value();
  static const auto joint = local_layout(FaultModel(1, 1), Layout::kJoint, {6379}, "kv").value();
  const auto& cluster = layout == Layout::kSplit ? split : joint;
  std::vector<const runtime::NodeConfig*> nodes;
  for (const auto& name : down) nodes.push_back(cluster.find(name));
  return what_is_left(cluster, nodes);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(WhatIsLeft, GoesOnWithinTheModel) {
  const auto one = left(Layout::kSplit, {"executor-1"});
  EXPECT_TRUE(has(one, "goes on: down are 1 of 3 executors and 0 of 4 verifiers, 1 of each"))
      << one;
  const auto both = left(Layout::kSplit, {"executor-1", "verifier-3"});
  EXPECT_TRUE(has(both, "goes on: down are 1 of 3 executors and 1 of 4 verifiers")) << both;
  const auto joint = left(Layout::kJoint, {"node-0"});
  EXPECT_TRUE(has(joint, "goes on: down are 1 of 3 executors and 1 of 4 verifiers")) << joint;
}

TEST(WhatIsLeft, StopsBeyondIt) {
  EXPECT_TRUE(has(left(Layout::kSplit, {"executor-1", "executor-0"}), "has stopped"));
  EXPECT_TRUE(has(left(Layout::kSplit, {"verifier-1", "verifier-0"}), "has stopped"));
}

TEST(WhatIsLeft, OfTwoOne) {
  const auto cluster =
      local_layout(FaultModel::primary_backup(), Layout::kSplit, {6379}, "kv").value();
  const auto* first = cluster.find("executor-0");
  const auto* second = cluster.find("executor-1");
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(cluster.find("verifier-0"), nullptr);
  EXPECT_TRUE(has(what_is_left(cluster, {first}), "goes on if the other"));
  EXPECT_TRUE(has(what_is_left(cluster, {first, second}), "has stopped"));
}

TEST(WhatIsLeft, NamesGateways) {
  const auto text = left(Layout::kSplit, {"gateway"});
  EXPECT_TRUE(has(text, "turned away")) << text;
  EXPECT_FALSE(has(text, "executors")) << text;
  EXPECT_TRUE(has(left(Layout::kSplit, {"gateway", "executor-2"}), "turned away. The service"));
}

}  // namespace
}  // namespace eve::cli
