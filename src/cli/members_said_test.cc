#include "cli/members_said.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace eve::cli {
namespace {

using nlohmann::json;

json says(const std::string& name, uint64_t epoch, const std::string& third) {
  return {{"name", name},
          {"members",
           {{"epoch", epoch},
            {"executors", {"node-0", "node-1", third}},
            {"verifiers", {"node-0", "node-1", "node-2"}}}}};
}

/// Three nodes, two that joined, and gateways.
runtime::ClusterConfig cluster(uint32_t r) {
  runtime::ClusterConfig cluster;
  cluster.model = FaultModel(r == 0 ? 1 : r, r);
  const auto add = [](auto& nodes, const std::string& name, std::vector<Address> roles) {
    runtime::NodeConfig node;
    node.name = name;
    node.roles = std::move(roles);
    nodes.push_back(node);
  };
  for (uint16_t i = 0; i < 3; ++i) {
    add(cluster.nodes, "node-" + std::to_string(i), {Address::executor(i), Address::verifier(i)});
    add(cluster.nodes, "gateway-" + std::to_string(i), {Address::client(i)});
  }
  add(cluster.joined, "node-3", {Address::executor(3), Address::verifier(4)});
  add(cluster.joined, "node-4", {Address::executor(4), Address::verifier(5)});
  return cluster;
}

TEST(MembersSaid, TheLatestOfEnoughVoices) {
  const json nodes = {says("node-0", 0, "node-2"), says("node-1", 1, "node-3"),
                      says("node-3", 1, "node-3"), json::object()};
  EXPECT_EQ(members_said(nodes, cluster(0))->epoch, 1u);
  EXPECT_EQ(members_said(nodes, cluster(1))->executors[2], "node-3");
  EXPECT_FALSE(members_said(nodes, cluster(2)));
  EXPECT_TRUE(members_said(nodes, cluster(1))->has("node-3"));
  EXPECT_TRUE(members_said(nodes, cluster(1))->has("node-2")) << "a verifier still";
  EXPECT_FALSE(members_said(nodes, cluster(1))->has("node-4"));
}

TEST(MembersSaid, ALiarAloneIsNotBelieved) {
  const json nodes = {says("node-0", 0, "node-2"), says("node-1", 9, "node-4"),
                      says("node-2", 0, "node-2"), says("node-3", 9, "node-3")};
  EXPECT_EQ(members_said(nodes, cluster(1))->epoch, 0u);
  EXPECT_FALSE(members_said(json::array(), cluster(0)));
}

TEST(MembersSaid, OnlyMembersHaveAVoice) {
  json nodes = {says("node-0", 0, "node-2"), says("node-1", 0, "node-2"),
                says("gateway-0", 9, "gateway-0"), says("gateway-1", 9, "gateway-0"),
                says("node-1", 9, "gateway-0")};
  EXPECT_EQ(members_said(nodes, cluster(1))->epoch, 0u) << "clients may all lie";
  EXPECT_FALSE(members_said({says("gateway-0", 9, "node-2")}, cluster(0)));
  nodes = {says("node-0", 0, "node-2"), says("node-1", 0, "node-2"), says("node-2", 9, "node-3"),
           says("node-4", 9, "node-3")};
  EXPECT_EQ(members_said(nodes, cluster(1))->epoch, 0u) << "node-4 does not sit there";
  EXPECT_FALSE(members_said({says("stranger", 0, "stranger")}, cluster(0)));
}

TEST(MembersSaid, WhatANodeSaysMayBeAnything) {
  for (const char* text : {"null", "7", "{}", R"({"members":7})", R"({"members":{"epoch":-1}})",
                           R"({"members":{"epoch":1,"executors":["a"]}})",
                           R"({"members":{"epoch":1,"executors":["a"],"verifiers":[1]}})",
                           R"({"members":{"epoch":"1","executors":["a"],"verifiers":["a"]}})"}) {
    EXPECT_FALSE(members_in(json::parse(text))) << text;
  }
  EXPECT_EQ(members_in(says("node-0", 3, "x"))->epoch, 3u);
}

}  // namespace
}  // namespace eve::cli
