#include "cli/backup_survey.h"

#include <gtest/gtest.h>

namespace eve::cli {
namespace {

using nlohmann::json;
using runtime::ClusterConfig;
using runtime::NodeConfig;

const std::vector<std::string> kThree = {"node-0", "node-1", "node-2"};

json executor(uint64_t committed, uint64_t executed) {
  return {{"committed", committed}, {"executed", executed}, {"silent", false}, {"fetching", false}};
}
/// Of a node with an executor and a verifier.
json node(const std::string& name, uint64_t committed, uint64_t executed) {
  const json seats = {{"epoch", 0U}, {"start", 0U}, {"executors", kThree}, {"verifiers", kThree}};
  return {{"name", name},
          {"executor", executor(committed, executed)},
          {"verifier", {{"committed", committed}}},
          {"members", seats}};
}
Statuses statuses(const std::vector<json>& all) {
  Statuses made;
  for (const auto& each : all) made[each["name"]] = each;
  return made;
}
Reach of(uint32_t r, const Statuses& all) {
  return reach(FaultModel(1, r), {0, kThree, kThree}, all);
}
json change(json status, const char* part, const char* key, const json& value) {
  status[part][key] = value;
  return status;
}

NodeConfig config(const std::string& name, uint16_t executor, uint16_t port) {
  NodeConfig made;
  made.name = name;
  made.host = "10.0.0.1";
  made.status_port = port;
  made.roles = {Address::executor(executor)};
  return made;
}
ClusterConfig cluster(uint32_t r) {
  ClusterConfig made;
  made.model = FaultModel(1, r);
  for (uint16_t i = 0; i < 3; ++i) {
    made.nodes.push_back(config(kThree[i], i, static_cast<uint16_t>(7000 + i)));
  }
  return made;
}
std::vector<std::string> names(const std::vector<const NodeConfig*>& nodes) {
  std::vector<std::string> all;
  for (const auto* each : nodes) all.push_back(each->name);
  return all;
}

using Names = std::vector<std::string>;

TEST(WorthAsking, WhoWasReplacedOnTheSamePortsIsNot) {
  auto all = cluster(1);
  EXPECT_EQ(names(worth_asking(all, all.nodes[0])), kThree);
  all.joined.push_back(config("node-4", 3, 7001));  // where node-1 was
  EXPECT_EQ(names(worth_asking(all, all.joined[0])), (Names{"node-0", "node-2", "node-4"}))
      << "node-1 would be answered for by the source itself";
  EXPECT_EQ(names(worth_asking(all, all.nodes[0])), (Names{"node-0", "node-4", "node-2"}));
  EXPECT_EQ(names(worth_asking(all, all.nodes[1])), (Names{"node-0", "node-1", "node-2"}));
  all.joined.push_back(config("node-5", 4, 7001));
  EXPECT_EQ(names(worth_asking(all, all.nodes[0])), (Names{"node-0", "node-5", "node-2"}));
  all.joined[1].host = "10.0.0.2";
  EXPECT_EQ(names(worth_asking(all, all.nodes[0])), (Names{"node-0", "node-4", "node-2", "node-5"}))
      << "another machine";
}

TEST(MembersNow, OfWhoHasASeat) {
  auto later = node("node-0", 7, 7);
  later["members"]["epoch"] = 1U;
  later["members"]["executors"] = {"node-0", "node-4", "node-2"};
  later["members"]["verifiers"] = {"node-0", "node-4", "node-2"};
  auto also = later;
  also["name"] = "node-4";
  const auto all = statuses({later, also, node("node-1", 5, 5), node("node-2", 5, 5)});
  auto known = cluster(1);
  known.joined.push_back(config("node-4", 3, 7003));
  EXPECT_EQ(members_now(known, all)->executors, (Names{"node-0", "node-4", "node-2"}));
  // One that was replaced has no say, whatever it says.
  also["name"] = "node-1";
  EXPECT_EQ(members_now(known, statuses({later, also})), std::nullopt);
  EXPECT_EQ(members_now(cluster(1), {}), std::nullopt);
  EXPECT_EQ(members_now(cluster(0), statuses({later}))->epoch, 1u);
}

TEST(MembersNow, OfAPairTheFileSays) {
  auto pair = cluster(0);
  pair.model = FaultModel::primary_backup();
  pair.nodes.pop_back();
  EXPECT_EQ(members_now(pair, {})->executors, (Names{"node-0", "node-1"}));
}

TEST(Reach, WhatOneAloneHadAnsweredTheOthersHaveRun) {
  // Only the primary, node-0, answers clients; it committed batch 9 and cannot be asked.
  const auto crash = of(0, statuses({node("node-1", 8, 9), node("node-2", 8, 8)}));
  EXPECT_TRUE(crash.known && crash.vouched);
  EXPECT_EQ(crash.through, 9u);
  EXPECT_EQ(crash.committed, 8u);
  EXPECT_EQ(crash.missing, (std::map<std::string, std::string>{{"node-0", "does not answer"}}));
}

TEST(Reach, IsNotKnownWhereTooFewCanBeAsked) {
  const auto alone = of(0, statuses({node("node-1", 8, 8)}));
  EXPECT_FALSE(alone.known);
  EXPECT_EQ(alone.committed, 8u);
  EXPECT_EQ(list_of(alone.missing), "node-0 does not answer, node-2 does not answer");
  EXPECT_FALSE(of(1, statuses({node("node-1", 8, 8)})).known);
  EXPECT_TRUE(of(1, statuses({node("node-1", 8, 8), node("node-2", 8, 8)})).known);
}

TEST(Reach, WhoHasLostWhatItRanCannotSay) {
  const auto one = node("node-1", 8, 8);
  auto other = node("node-2", 8, 8);
  EXPECT_TRUE(of(0, statuses({one, other})).known);
  EXPECT_FALSE(of(0, statuses({one, change(other, "executor", "silent", true)})).known);
  EXPECT_FALSE(of(0, statuses({one, change(other, "executor", "fetching", true)})).known);
  EXPECT_FALSE(of(0, statuses({one, change(other, "executor", "silent", "no")})).known);
  EXPECT_FALSE(of(0, statuses({one, change(other, "members", "start", 9U)})).known)
      << "it has yet to fetch what its epoch begins with";
  other.erase("executor");
  EXPECT_FALSE(of(0, statuses({one, other})).known);
}

TEST(Reach, WhatOneRanAloneIsNotWaitedForWhereAllSay) {
  // u+1 executors had run what was acknowledged.
  const auto all = statuses({node("node-0", 8, 9), node("node-1", 8, 8), node("node-2", 7, 7)});
  EXPECT_EQ(of(0, all).through, 8u);
  EXPECT_EQ(of(1, all).through, 9u) << "one of two that ran it may say that it did not";
}

TEST(Reach, ALiarIsNoReasonToWaitForGood) {
  const auto boasts = statuses({node("node-0", 8, 8), node("node-1", 8, 8),
                                change(node("node-2", 99, 99), "verifier", "committed", 99U)});
  EXPECT_EQ(of(1, boasts).through, 99u);
  EXPECT_FALSE(of(1, boasts).vouched);
  EXPECT_EQ(of(1, boasts).committed, 8u);
  const auto two = statuses({node("node-0", 8, 8), node("node-1", 8, 9), node("node-2", 8, 9)});
  EXPECT_TRUE(of(1, two).vouched);
  EXPECT_EQ(of(1, two).through, 9u);
}

TEST(Reach, VerifiersKnowToo) {
  auto one = node("node-1", 8, 8);
  auto other = node("node-2", 8, 8);
  other["verifier"]["committed"] = 11U;
  EXPECT_EQ(of(0, statuses({one, other})).through, 11u);
  EXPECT_EQ(of(1, statuses({one, other})).through, 8u) << "one may lie";
  one["verifier"]["committed"] = 10U;
  EXPECT_EQ(of(1, statuses({one, other})).through, 10u);
}

TEST(Reach, WhatANodeSaysMayBeAnything) {
  for (const char* text :
       {"{}", R"({"executor":7})", R"({"executor":{"silent":false,"fetching":false}})",
        R"({"executor":{"silent":false,"fetching":false,"executed":-3},"members":[1]})"}) {
    const auto found = of(1, {{"node-0", json::parse(text)}, {"node-1", node("node-1", 4, 4)}});
    EXPECT_LE(found.through, 4u) << text;
  }
}

}  // namespace
}  // namespace eve::cli
