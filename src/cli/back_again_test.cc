#include "cli/back_again.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eve::cli {
namespace {

using nlohmann::json;

json healthy() {
  return json::parse(R"({"executor":{"silent":false,"fetching":false,"committed":100},
                         "verifier":{"phase":"normal","committed":101},
                         "gateway":{"open":true}})");
}

TEST(BackAgain, AllRolesCount) {
  EXPECT_EQ(why_not_back(healthy(), 100 + kNearlyThere), "");
  EXPECT_EQ(committed_in(healthy()), 101u);
}

TEST(BackAgain, SaysWhatIsMissing) {
  const auto expect = [](const char* part, const char* key, const json& value, const char* why) {
    json status = healthy();
    status[part][key] = value;
    const auto said = why_not_back(status, 100);
    EXPECT_NE(said.find(why), std::string::npos) << part << "." << key << ": " << said;
  };
  expect("executor", "silent", true, "silent");
  expect("executor", "fetching", true, "fetches");
  expect("executor", "committed", 7U, "batch 7 of 100");
  expect("executor", "cannot_begin", "another node took this seat", "another node took");
  expect("verifier", "phase", "recovering", "is recovering");
  expect("verifier", "replaced", true, "another node has taken its seat");
  expect("gateway", "open", false, "no session");
  expect("executor", "silent", "no", "silent");  // it may say anything
  expect("verifier", "phase", 7, "not ready");
  expect("executor", "committed", "many", "batch 0 of 100");
}

TEST(BackAgain, ANodeThatIsSilentAboutItselfDoesNotCount) {
  EXPECT_NE(why_not_back(json::object(), 0), "");
  EXPECT_NE(why_not_back(json::array(), 0), "");
  EXPECT_NE(why_not_back({{"name", "node-0"}, {"error", "timed out"}}, 0), "");
  EXPECT_EQ(committed_in(json(7)), 0u);
}

TEST(BackAgain, OneRoleIsEnough) {
  EXPECT_EQ(why_not_back({{"verifier", {{"phase", "normal"}}}}, 1'000), "");
  EXPECT_EQ(why_not_back({{"verifier", {{"phase", "normal"}, {"committed", 7}}}}, 1'000), "")
      << "while the cluster is idle nobody tells it";
  EXPECT_EQ(why_not_back({{"gateway", {{"open", true}}}}, 1'000), "");
}

TEST(BackAgain, OfAPairWhoLeadsOrBothInSync) {
  auto status = healthy();
  status.erase("verifier");
  const auto why = [&](bool leading, bool both_in_sync, uint64_t highest) {
    status["pair"] = {{"leading", leading}, {"both_in_sync", both_in_sync}};
    return why_not_back(status, highest);
  };
  EXPECT_EQ(why(false, true, 100), "");
  EXPECT_NE(why(false, true, 200), "") << "behind the primary";
  EXPECT_EQ(why(true, false, 100), "") << "alone";
  EXPECT_EQ(why(true, false, 200), "") << "who was left behind may have run more";
  EXPECT_NE(why(false, false, 100).find("does not lead"), std::string::npos);
}

/// Executor i and verifier i on node i; the last nodes have only verifiers.
runtime::ClusterConfig cluster_of(FaultModel model) {
  runtime::ClusterConfig cluster;
  cluster.model = model;
  for (uint16_t i = 0; i < std::max(model.executors(), model.verifiers()); ++i) {
    auto& node = cluster.nodes.emplace_back();
    node.name = "node-" + std::to_string(i);
    if (i < model.executors()) node.roles.push_back(Address::executor(i));
    if (i < model.verifiers()) node.roles.push_back(Address::verifier(i));
  }
  auto& gateway = cluster.nodes.emplace_back();
  gateway.name = "gateway";
  gateway.roles = {Address::client(0)};
  return cluster;
}

json status_of(const std::string& name, uint64_t committed) {
  auto status = healthy();
  status["name"] = name;
  status["executor"]["committed"] = committed;
  status["verifier"]["committed"] = committed;
  return status;
}

TEST(BackAgain, OthersThatAreAQuorumWithItHaveToAnswer) {
  const auto crash = cluster_of(FaultModel(1, 0));
  json statuses = {status_of("node-0", 7),
                   {{"name", "node-1"}, {"error", "refused"}},
                   {{"name", "node-2"}, {"error", "refused"}},
                   status_of("gateway", 900)};
  auto others = look_elsewhere(crash, "node-0", statuses);
  EXPECT_NE(others.too_few.find("0 executors and 0 verifiers answer, and 1 and 1 are needed"),
            std::string::npos)
      << others.too_few;
  EXPECT_EQ(others.committed, 0u) << "a gateway has no say";
  EXPECT_EQ(look_elsewhere(crash, "gateway", statuses).too_few, "") << "its session says it";
  statuses[1] = status_of("node-1", 50);
  others = look_elsewhere(crash, "node-0", statuses);
  EXPECT_EQ(others.too_few, "");
  EXPECT_EQ(others.committed, 50u);
  for (const char* phase : {"recovering", "joining"}) {
    statuses[1]["verifier"]["phase"] = phase;
    EXPECT_NE(look_elsewhere(crash, "node-0", statuses).too_few, "") << phase;
  }

  const auto bft = cluster_of(FaultModel(1, 1));
  statuses = {status_of("node-1", 60), status_of("node-3", 900)};
  others = look_elsewhere(bft, "node-0", statuses);
  EXPECT_EQ(others.too_few, "");
  EXPECT_EQ(others.committed, 60u) << "one may boast";
  EXPECT_NE(look_elsewhere(bft, "node-3", statuses).too_few, "") << "it is no executor itself";
}

TEST(BackAgain, WhoHasNoSeatIsNoneOfTheOthers) {
  auto cluster = cluster_of(FaultModel(1, 0));
  auto& joined = cluster.joined.emplace_back();
  joined.name = "node-9";
  joined.roles = {Address::executor(3), Address::verifier(3)};
  json statuses = {status_of("node-1", 50), status_of("node-9", 70)};
  EXPECT_EQ(look_elsewhere(cluster, "node-0", statuses).committed, 50u);
  for (auto& status : statuses) {
    status["members"] = {{"epoch", 1U},
                         {"executors", {"node-0", "node-2", "node-9"}},
                         {"verifiers", {"node-0", "node-2", "node-9"}}};
  }
  EXPECT_EQ(look_elsewhere(cluster, "node-0", statuses).committed, 70u) << "node-1 was replaced";
  statuses[1]["executor"]["replaced"] = true;
  statuses[1]["verifier"]["replaced"] = true;
  EXPECT_NE(look_elsewhere(cluster, "node-0", statuses).too_few, "");
}

TEST(BackAgain, OneOfAPairMayBeAlone) {
  const auto pair = cluster_of(FaultModel::primary_backup());
  const auto others = look_elsewhere(pair, "node-0", json::array({status_of("node-1", 50)}));
  EXPECT_EQ(others.committed, 50u);
  EXPECT_EQ(look_elsewhere(pair, "node-0", json::array()).too_few, "");
}

}  // namespace
}  // namespace eve::cli
