#include "cli/member_forecast.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eve::cli {
namespace {

using nlohmann::json;

const FaultModel kModel(1, 1);

MemberSight sight(const std::string& name, bool executor = true) {
  MemberSight sight;
  sight.name = name;
  sight.executor = executor;
  sight.verifier = true;
  return sight;
}

/// A joint BFT cluster: node-3 is a verifier alone.
std::vector<MemberSight> members() {
  return {sight("node-0"), sight("node-1"), sight("node-2"), sight("node-3", false)};
}

MemberSight fresh() {
  auto comes = sight("node-4");
  judge_absent("it does not answer", comes);
  return comes;
}

json status() {
  return json::parse(R"({"name":"node-1",
    "executor":{"silent":false,"fetching":false,"committed":100},
    "verifier":{"phase":"normal","committed":100},
    "members":{"epoch":2,"executors":["node-0","node-1","node-2"],
               "verifiers":["node-0","node-1","node-2","node-3"]}})");
}

std::string said(const Forecast& told) {
  std::string all;
  for (const auto& line : told.lines) all += line + "\n";
  return all;
}

TEST(MemberForecast, EverybodyIsThere) {
  const auto told = forecast(kModel, members(), "node-1", fresh());
  EXPECT_TRUE(told.before && told.after) << said(told);
  EXPECT_NE(said(told).find("3 of 3 executors count, 2 are needed\n"), std::string::npos);
  EXPECT_NE(said(told).find("4 of 4 verifiers count, 3 are needed\n"), std::string::npos);
  EXPECT_NE(said(told).find("2 of 3 executors count, 2 are needed\n"), std::string::npos);
  EXPECT_NE(said(told).find("3 of 4 verifiers count, 3 are needed\n"), std::string::npos);
  EXPECT_NE(said(told).find("    not node-4: it does not answer\n"), std::string::npos);
}

// The one that leaves may be dead: that is what the change is for.
TEST(MemberForecast, TheOneThatLeavesIsDead) {
  auto all = members();
  judge_absent("refused", all[1]);
  const auto told = forecast(kModel, all, "node-1", fresh());
  EXPECT_TRUE(told.before && told.after) << said(told);
}

TEST(MemberForecast, AnotherOneIsDeadToo) {
  auto all = members();
  judge_absent("refused", all[2]);
  auto told = forecast(kModel, all, "node-1", fresh());
  EXPECT_TRUE(told.before) << said(told);
  EXPECT_FALSE(told.after) << "one of three executors is not enough";
  EXPECT_NE(said(told).find("1 of 3 executors count, 2 are needed: TOO FEW\n"), std::string::npos)
      << said(told);
  auto comes = sight("node-4");
  told = forecast(kModel, all, "node-1", comes);
  EXPECT_TRUE(told.after) << "it is level already";

  judge_absent("refused", all[1]);
  told = forecast(kModel, all, "node-1", comes);
  EXPECT_FALSE(told.before) << "two are dead: nothing is agreed on";
  EXPECT_TRUE(told.after);
}

TEST(MemberForecast, AVerifierAlone) {
  auto all = members();
  all[0].verifier_trouble = "its verifier is recovering";
  const auto told = forecast(kModel, all, "node-3", fresh());
  EXPECT_TRUE(told.before) << said(told);
  EXPECT_FALSE(told.after) << said(told);
  EXPECT_NE(said(told).find("3 of 3 executors count"), std::string::npos)
      << "node-4 takes a verifier's seat only: " << said(told);
  EXPECT_NE(said(told).find("2 of 4 verifiers count, 3 are needed: TOO FEW"), std::string::npos);
}

TEST(MemberForecast, JudgesANodeByWhatItSays) {
  auto node = sight("node-1");
  judge(status(), 2, 116, node);
  EXPECT_EQ(node.executor_trouble, "");
  EXPECT_EQ(node.verifier_trouble, "");
  const auto trouble = [&](const char* part, const char* key, const json& value) {
    auto said = status();
    said[part][key] = value;
    auto judged = sight("node-1");
    judge(said, 2, 116, judged);
    return std::make_pair(judged.executor_trouble, judged.verifier_trouble);
  };
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(trouble("executor", "silent", true),
            Pair("its executor is silent until the next view", ""));
  EXPECT_EQ(trouble("executor", "fetching", true), Pair("its executor fetches the state", ""));
  EXPECT_EQ(trouble("executor", "committed", 99u), Pair("its executor has batch 99 of 116", ""));
  EXPECT_EQ(trouble("verifier", "phase", "recovering"), Pair("", "its verifier is recovering"));
  EXPECT_EQ(trouble("verifier", "phase", "joining"), Pair("", "its verifier is joining"));
  EXPECT_EQ(trouble("verifier", "phase", "changing"), Pair("", "")) << "it is at work";
  const std::string behind = "it is in epoch 1, the others in 2";
  EXPECT_EQ(trouble("members", "epoch", 1u), Pair(behind, behind));

  auto old = status();
  old.erase("members");
  judge(old, 2, 100, node);
  EXPECT_EQ(node.verifier_trouble, "it runs a release that knows no changes of members");
  auto another = sight("node-2");
  judge(status(), 2, 100, another);
  EXPECT_EQ(another.executor_trouble, "another node answers at its status port");
  judge(json(), 2, 100, node);
  EXPECT_NE(node.executor_trouble, "");
  auto bare = json{{"name", "node-1"}, {"members", status()["members"]}};
  judge(bare, 2, 0, node);
  EXPECT_EQ(node.executor_trouble, "it plays no executor");
  EXPECT_EQ(node.verifier_trouble, "it plays no verifier");
}

TEST(MemberForecast, WhoLearnsCountsWhenItWasLevelALittleWhileAgo) {
  json learning = {{"name", "node-4"},
                   {"members", status()["members"]},
                   {"executor",
                    {{"phase", "learning"},
                     {"silent", false},
                     {"fetching", true},
                     {"committed", 90u},
                     {"learner", {{"held", 90u}, {"known", 96u}, {"level_ms_ago", 1'200}}}}}};
  EXPECT_EQ(why_not_level(learning, "node-4"), "");
  auto node = sight("node-4");
  judge(learning, 2, 116, node);
  EXPECT_EQ(node.executor_trouble, "");
  EXPECT_NE(why_not_level(learning, "node-5"), "") << "another node";
  for (const json& level : {json(nullptr), json(5'001), json(-1), json("soon")}) {
    learning["executor"]["learner"]["level_ms_ago"] = level;
    EXPECT_EQ(why_not_level(learning, "node-4"), "its executor learns: it holds batch 90 of 96");
    judge(learning, 2, 116, node);
    EXPECT_EQ(node.executor_trouble, "its executor learns: it holds batch 90 of 96");
  }
  learning["executor"].erase("learner");
  EXPECT_NE(why_not_level(learning, "node-4"), "");
  learning["executor"]["phase"] = "normal";
  EXPECT_NE(why_not_level(learning, "node-4"), "") << "it has no learner";
  learning.erase("executor");
  EXPECT_EQ(why_not_level(learning, "node-4"), "") << "a verifier";
  EXPECT_NE(why_not_level(json(), "node-4"), "");
  EXPECT_EQ(why_not_level({{"name", "node-4"}, {"error", "refused"}}, "node-4"),
            "it does not answer: refused");
}

// It has promised nothing, and votes as soon as it has its seat.
TEST(MemberForecast, TheVerifierThatComesCountsWhenItsExecutorDoes) {
  json coming = {{"name", "node-4"},
                 {"members", status()["members"]},
                 {"executor",
                  {{"phase", "learning"},
                   {"silent", false},
                   {"fetching", true},
                   {"learner", {{"held", 90u}, {"known", 90u}, {"level_ms_ago", 200}}}}},
                 {"verifier", {{"phase", "joining"}}}};
  auto node = sight("node-4");
  node.comes = true;
  judge(coming, 2, 92, node);
  EXPECT_EQ(node.executor_trouble, "");
  EXPECT_EQ(node.verifier_trouble, "");
  auto all = members();
  judge_absent("refused", all[2]);
  auto told = forecast(kModel, all, "node-1", node);
  EXPECT_TRUE(told.before && told.after) << said(told);

  auto member = sight("node-4");
  judge(coming, 2, 92, member);
  EXPECT_EQ(member.verifier_trouble, "its verifier is joining") << "it should have its seat";
  coming["verifier"]["phase"] = "recovering";
  judge(coming, 2, 92, node);
  EXPECT_EQ(node.verifier_trouble, "its verifier is recovering");
  coming["verifier"]["phase"] = "joining";
  coming["executor"]["learner"]["level_ms_ago"] = nullptr;
  judge(coming, 2, 92, node);
  EXPECT_NE(node.executor_trouble, "");
  EXPECT_EQ(node.verifier_trouble, "its verifier is joining") << "the node is not level";
  coming["members"]["epoch"] = 1u;
  judge(coming, 2, 92, node);
  EXPECT_EQ(node.verifier_trouble, "it is in epoch 1, the others in 2");
  coming["members"]["epoch"] = 2u;
  coming.erase("executor");
  judge(coming, 2, 92, node);
  EXPECT_EQ(node.verifier_trouble, "") << "a verifier alone";
  told = forecast(kModel, members(), "node-3", node);
  EXPECT_NE(said(told).find("4 of 4 verifiers count, 3 are needed\n"), std::string::npos);
  EXPECT_EQ(said(told).find("not node-4"), std::string::npos) << said(told);
}

}  // namespace
}  // namespace eve::cli
