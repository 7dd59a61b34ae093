#include "cli/members_said.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eve::cli {
namespace {

using nlohmann::json;

json says(uint64_t epoch, const std::string& third) {
  return {{"name", "somebody"},
          {"members",
           {{"epoch", epoch},
            {"executors", {"node-0", "node-1", third}},
            {"verifiers", {"node-0", "node-1", "node-2"}}}}};
}

TEST(MembersSaid, TheLatestOfEnoughVoices) {
  const json nodes = {says(0, "node-2"), says(1, "node-3"), says(1, "node-3"), json::object()};
  EXPECT_EQ(members_said(nodes, 0)->epoch, 1u);
  EXPECT_EQ(members_said(nodes, 1)->executors[2], "node-3");
  EXPECT_FALSE(members_said(nodes, 2));
  EXPECT_TRUE(members_said(nodes, 1)->has("node-3"));
  EXPECT_TRUE(members_said(nodes, 1)->has("node-2")) << "a verifier still";
  EXPECT_FALSE(members_said(nodes, 1)->has("node-4"));
}

TEST(MembersSaid, ALiarAloneIsNotBelieved) {
  const json nodes = {says(0, "node-2"), says(9, "mine"), says(0, "node-2"), says(9, "other")};
  EXPECT_EQ(members_said(nodes, 1)->epoch, 0u);
  EXPECT_FALSE(members_said(json::array(), 0));
}

TEST(MembersSaid, WhatANodeSaysMayBeAnything) {
  for (const char* text : {"null", "7", "{}", R"({"members":7})", R"({"members":{"epoch":-1}})",
                           R"({"members":{"epoch":1,"executors":["a"]}})",
                           R"({"members":{"epoch":1,"executors":["a"],"verifiers":[1]}})",
                           R"({"members":{"epoch":"1","executors":["a"],"verifiers":["a"]}})"}) {
    EXPECT_FALSE(members_in(json::parse(text))) << text;
  }
  EXPECT_EQ(members_in(says(3, "x"))->epoch, 3u);
}

}  // namespace
}  // namespace eve::cli
