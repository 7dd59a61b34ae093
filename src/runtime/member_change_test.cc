#include "runtime/member_change.h"

#include <gtest/gtest.h>

#include "runtime/contact.h"
#include "runtime/newcomers.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

const FaultModel kModel(1, 1);

/// Four joint nodes, node-3 a verifier alone; a gateway and a native client.
ClusterConfig cluster() {
  auto config = testing::local_cluster(kModel, true, true);
  config.id = std::string(32, 'a');
  for (size_t i = 0; i < config.nodes.size(); ++i) config.nodes[i].key[0] = uint8_t(10 + i);
  config.operator_key.emplace()[0] = 99;
  return config;
}

NodeConfig fresh(const std::string& name = "node-4") {
  NodeConfig node;
  node.name = name;
  node.host = "127.0.0.1";
  node.port = static_cast<uint16_t>(7000 + name.back());
  node.status_port = static_cast<uint16_t>(7200 + name.back());
  node.key[0] = static_cast<uint8_t>(100 + name.back());
  return node;
}

membership::Members after(const membership::Members& members, const Result<wire::Change>& change) {
  EXPECT_TRUE(change.ok()) << change.message();
  const auto next = members.after(*change);
  EXPECT_TRUE(next.has_value());
  return *next;
}

void expect_refused(const Result<wire::Change>& change, const std::string& part) {
  ASSERT_FALSE(change.ok()) << part;
  EXPECT_NE(change.message().find(part), std::string::npos) << change.message();
}

const membership::Members kFirst = membership::Members::first(kModel);

TEST(MemberChange, AllSeatsOfOneNodeGoToAnother) {
  const auto config = cluster();
  const auto change = change_for(config, kFirst, "node-1", fresh());
  ASSERT_TRUE(change.ok()) << change.message();
  EXPECT_EQ(*change, (wire::Change{Epoch(0), 1, 1, encode_contact(fresh())}));
  const auto alone = change_for(config, kFirst, "node-3", fresh());
  ASSERT_TRUE(alone.ok()) << alone.message();
  EXPECT_EQ(alone->executor, std::nullopt);
  EXPECT_EQ(alone->verifier, 3);
}

TEST(MemberChange, WhoJoinedIsReplacedByItsName) {
  auto config = cluster();
  const auto one = after(kFirst, change_for(config, kFirst, "node-1", fresh()));
  expect_refused(change_for(config, one, "node-1", fresh("node-5")),
                 "no member any more: it was replaced in epoch 1 or before");
  expect_refused(change_for(config, one, "node-0", fresh()), "choose a new one");
  // Whether this machine's cluster.toml has heard of it or not.
  const auto next = change_for(config, one, "node-4", fresh("node-5"));
  ASSERT_TRUE(next.ok()) << next.message();
  EXPECT_EQ(*next, (wire::Change{Epoch(1), 1, 1, encode_contact(fresh("node-5"))}));
  const auto two = after(one, next);
  const auto seated = seated_nodes(config, two);
  ASSERT_EQ(seated.size(), 4u);
  EXPECT_EQ(seated[1].node.name, "node-5");
  EXPECT_EQ(seated[1].since, Epoch(2));
  EXPECT_EQ(seated[1].seats, (std::vector{Address::executor(1), Address::verifier(1)}));
  EXPECT_EQ(seated[0].node, config.nodes[0]);
  EXPECT_EQ(seated[0].since, Epoch(0));
}

TEST(MemberChange, RefusesInClearWords) {
  const auto config = cluster();
  expect_refused(change_for(config, kFirst, "nobody", fresh()), "no node \"nobody\"");
  expect_refused(change_for(config, kFirst, "gateway", fresh()), "clients are no members");
  for (const char* taken : {"node-2", "gateway", "operator", "node-1"}) {
    expect_refused(change_for(config, kFirst, "node-1", fresh(taken)), "choose a new one");
  }
  auto bad = fresh();
  bad.name = "Node";
  expect_refused(change_for(config, kFirst, "node-1", bad), "1 to 32 of a-z");
  bad = fresh();
  bad.host = "two words";
  expect_refused(change_for(config, kFirst, "node-1", bad), "has no host");
  bad = fresh();
  bad.key = config.nodes[2].key;
  expect_refused(change_for(config, kFirst, "node-1", bad), "same key as \"node-2\"");
  auto elsewhere = fresh();
  elsewhere.port = config.nodes[2].status_port;
  expect_refused(change_for(config, kFirst, "node-1", elsewhere), "is used by \"node-2\"");
  elsewhere.port = config.nodes[4].service_port;
  expect_refused(change_for(config, kFirst, "node-1", elsewhere), "is used by \"gateway\"");
  elsewhere.port = config.nodes[1].port;
  elsewhere.status_port = config.nodes[1].status_port;
  EXPECT_TRUE(change_for(config, kFirst, "node-1", elsewhere).ok()) << "on the same machine";

  auto old = config;
  old.operator_key.reset();
  expect_refused(change_for(old, kFirst, "node-1", fresh()), "no [operator] key");
  auto pair = config;
  pair.model = FaultModel::primary_backup();
  expect_refused(change_for(pair, kFirst, "node-1", fresh()), "primary-backup");
}

TEST(MemberChange, SaysWhichClientRoleStays) {
  auto config = cluster();
  EXPECT_EQ(client_role_of(config, "node-1"), "");
  EXPECT_EQ(client_role_of(config, "gateway"), "client-0");
  config.nodes[1].roles.push_back(Address::client(7));
  EXPECT_EQ(client_role_of(config, "node-1"), "client-7");
  EXPECT_EQ(client_role_of(config, "nobody"), "");
}

TEST(MemberChange, ClusterTomlGrowsAndKeepsWhatItHad) {
  auto config = cluster();
  const auto text = "# by hand\n" + format_cluster_toml(config) + "# the end";
  const auto one = *newcomer(kModel, *change_for(config, kFirst, "node-1", fresh()));
  const auto grown = with_joined(text, {one});
  ASSERT_TRUE(grown.ok()) << grown.message();
  EXPECT_TRUE(grown->starts_with(text + "\n"));
  const auto parsed = *parse_cluster_toml(*grown);
  EXPECT_EQ(parsed.joined, std::vector{one});
  EXPECT_EQ(*with_joined(*grown, {one}), *grown) << "there already";

  auto clash = one;
  clash.key[5] = 5;
  const auto refused = with_joined(*grown, {clash});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.message().find("the name is used twice"), std::string::npos);
}

TEST(Newcomers, AreThoseThatSitThereAndCameLater) {
  auto config = cluster();
  EXPECT_TRUE(newcomers(kModel, kFirst).nodes.empty());
  const auto one = after(kFirst, change_for(config, kFirst, "node-1", fresh()));
  const auto two = after(one, change_for(config, one, "node-3", fresh("node-5")));
  const auto found = newcomers(kModel, two);
  EXPECT_TRUE(found.trouble.ok());
  ASSERT_EQ(found.nodes.size(), 2u);
  EXPECT_EQ(found.nodes[0].name, "node-4");
  EXPECT_EQ(found.nodes[0].roles, (std::vector{Address::executor(3), Address::verifier(4)}));
  EXPECT_EQ(found.nodes[1].name, "node-5");
  EXPECT_EQ(found.nodes[1].roles, std::vector{Address::verifier(5)});

  const auto garbage = *two.after({Epoch(2), 0, std::nullopt, "no contact"});
  EXPECT_EQ(newcomers(kModel, garbage).nodes.size(), 2u);
  EXPECT_NE(newcomers(kModel, garbage).trouble.message().find("who joined in epoch 3"),
            std::string::npos);
  const auto seated = seated_nodes(config, garbage);
  EXPECT_EQ(seated[0].node.name, "executor-5") << "nothing else is known of it";
  const auto change = change_for(config, garbage, "executor-5", fresh("node-6"));
  ASSERT_TRUE(change.ok()) << change.message();
  EXPECT_EQ(change->executor, 0);
}

}  // namespace
}  // namespace eve::runtime
