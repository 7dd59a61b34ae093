#include "runtime/roster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

const FaultModel kModel(1, 1);

NodeConfig late(uint16_t epoch) {
  NodeConfig node;
  node.name = "late-" + std::to_string(epoch);
  node.host = "127.0.0.1";
  node.port = static_cast<uint16_t>(100 + epoch);
  node.roles = {Address::executor(static_cast<uint16_t>(2 + epoch))};
  node.key[0] = static_cast<uint8_t>(epoch);
  return node;
}

ClusterConfig cluster() {
  auto config = testing::local_cluster(kModel, true, false);
  config.operator_key.emplace()[0] = 77;
  return config;
}

TEST(Roster, HasEverybodyOnceInPlaces) {
  auto config = cluster();
  config.joined = {late(2), late(1)};
  const auto all = with_everybody(config);
  EXPECT_TRUE(all.joined.empty());
  ASSERT_EQ(all.nodes.size(), config.nodes.size() + 3);
  for (size_t i = 0; i < config.nodes.size(); ++i) EXPECT_EQ(all.nodes[i], config.nodes[i]);
  const auto& operators = all.nodes[config.nodes.size()];
  EXPECT_EQ(operators.name, "operator");
  EXPECT_TRUE(is_operator(operators));
  EXPECT_EQ(operators.key[0], 77);
  EXPECT_EQ(all.nodes.back(), late(1));
  EXPECT_EQ(all.clients(), config.clients()) << "the operator is no client like the others";
  EXPECT_EQ(all.keys(), config.keys());

  config.operator_key.reset();
  EXPECT_EQ(with_everybody(config).nodes.size(), config.nodes.size() + 2);
  for (const auto& node : with_everybody(config).nodes) EXPECT_FALSE(is_operator(node));
}

TEST(Roster, GrowsByWhoJoins) {
  auto all = with_everybody(cluster());
  const auto before = all.nodes.size();
  auto first = enlist(all, late(1));
  ASSERT_TRUE(first.ok()) << first.message();
  EXPECT_EQ(first->node, before);
  EXPECT_EQ(first->how, Enlisted::How::kNew);
  EXPECT_EQ(enlist(all, late(1))->how, Enlisted::How::kKnown);
  EXPECT_EQ(enlist(all, late(2))->node, before + 1);

  auto moved = late(1);
  moved.host = "10.0.0.7";
  moved.name = "another";
  const auto replaced = enlist(all, moved);
  EXPECT_EQ(replaced->node, before) << "positions never change";
  EXPECT_EQ(replaced->how, Enlisted::How::kReplaced);
  EXPECT_EQ(all.nodes[before], moved);
  EXPECT_EQ(all.nodes.size(), before + 2);
}

TEST(Roster, OneThatHasLostASeatKeepsItsAddresses) {
  auto all = with_everybody(cluster());
  auto both = late(1);
  both.roles.push_back(Address::verifier(4));
  ASSERT_TRUE(enlist(all, both).ok());
  EXPECT_EQ(enlist(all, late(1))->how, Enlisted::How::kKnown);
  EXPECT_EQ(all.nodes.back(), both);
  auto other = late(1);
  other.key[1] = 7;
  EXPECT_EQ(enlist(all, other)->how, Enlisted::How::kReplaced);
  EXPECT_EQ(all.nodes.back(), other) << "another node";
}

TEST(Roster, RefusesWhoCannotBeToldFromOthers) {
  auto all = with_everybody(cluster());
  const auto before = all.nodes;
  for (const char* taken : {"node-0", "client", "operator"}) {
    auto node = late(1);
    node.name = taken;
    const auto refused = enlist(all, node);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.message().find("the name of another one"), std::string::npos);
  }
  auto seated = late(1);
  seated.roles = {Address::executor(1)};
  EXPECT_FALSE(enlist(all, seated).ok());
  EXPECT_EQ(all.nodes, before);
}

// Whatever the order in which two nodes learnt of whom, exactly one of them dials.
TEST(Roster, OneOfTwoDials) {
  std::vector<uint16_t> order = {1, 2, 3};
  std::map<std::pair<std::string, std::string>, bool> said;
  do {
    auto all = with_everybody(cluster());
    for (const auto epoch : order) ASSERT_TRUE(enlist(all, late(epoch)).ok());
    for (size_t a = 0; a < all.nodes.size(); ++a) {
      for (size_t b = 0; b < all.nodes.size(); ++b) {
        if (a == b || (all.nodes[a].port == 0 && all.nodes[b].port == 0)) continue;
        const bool dialing = dials(all, a, b);
        EXPECT_NE(dialing, dials(all, b, a));
        const auto known = said.emplace(std::pair(all.nodes[a].name, all.nodes[b].name), dialing);
        EXPECT_EQ(known.first->second, dialing) << all.nodes[a].name << " " << all.nodes[b].name;
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_TRUE(said.at({"late-2", "late-1"})) << "the one that joined later";
  EXPECT_TRUE(said.at({"late-1", "node-3"}));
  EXPECT_TRUE(said.at({"node-2", "node-1"}));
  EXPECT_TRUE(said.at({"operator", "late-3"})) << "it has no port";
}

}  // namespace
}  // namespace eve::runtime
