#include "sim/command.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace eve::sim {
namespace {

int run(std::vector<std::string> words) {
  words.insert(words.begin(), "sim");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return run_command(static_cast<int>(argv.size()), argv.data());
}

TEST(Command, WritesASummary) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("eve_sim_test_" + std::to_string(::getpid()) + ".json");
  EXPECT_EQ(run({"--seed", "5", "--seeds", "2", "--seconds", "1", "--json", file.string()}), 0);
  const auto json = nlohmann::json::parse(std::ifstream(file));
  std::filesystem::remove(file);
  EXPECT_EQ(json.at("seeds"), 2);
  EXPECT_TRUE(json.at("failures").empty());
  EXPECT_GT(json.at("requests"), 0);
  EXPECT_GE(json.at("virtual_seconds"), 2.0);
  EXPECT_GT(json.at("asking_per_cpu_second"), 0.0);
  EXPECT_LT(json.at("asking_per_cpu_second"), json.at("virtual_per_cpu_second"));
  EXPECT_GT(json.at("accesses_per_cpu_second"), 0.0);
  EXPECT_TRUE(json.at("sites").contains("clock drifts"));
}

TEST(Command, DrawsASequenceDiagram) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("eve_sim_test_" + std::to_string(::getpid()) + ".mmd");
  EXPECT_EQ(run({"--seed", "5", "--seconds", "0.2", "--mermaid", file.string(), "--to", "100"}), 0);
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(file);
  EXPECT_TRUE(text.starts_with("sequenceDiagram\n")) << text;
  EXPECT_NE(text.find("->>E0: Bundle session 0"), std::string::npos) << text;
}

TEST(Command, RunsForSomeMinutes) {
  EXPECT_EQ(run({"--minutes", "0.002", "--seconds", "0.2", "--jobs", "2"}), 0);
}

TEST(Command, SaysWhichSitesNeverHappened) {
  EXPECT_EQ(run({"--seed", "1", "--seconds", "0.2", "--sites", "--all-sites"}), 1);
}

TEST(Command, RunsPairsOfStrategies) {
  EXPECT_EQ(run({"--pairs", "--seeds", "3", "--seconds", "0.2", "--jobs", "2"}), 0);
  EXPECT_EQ(run({"--strategy", "no-token+two-bodies", "--seconds", "0.2"}), 0);
  EXPECT_EQ(run({"--strategy", "no-token+nothing"}), 2);
  EXPECT_EQ(run({"--strategy", "no-token+two-bodies", "--config", "crash"}), 2);
  EXPECT_EQ(run({"--pairs", "--config", "crash"}), 2);
  EXPECT_EQ(run({"--pairs", "--twins"}), 2);
  EXPECT_EQ(run({"--pairs", "--strategy", "mute"}), 2);
  EXPECT_EQ(run({"--pairs", "--trace"}), 2);
}

TEST(Command, RefusesWrongUsage) {
  EXPECT_EQ(run({"--trace", "--jobs", "2"}), 2);
  EXPECT_EQ(run({"--mermaid", "x", "--seeds", "2"}), 2);
  EXPECT_EQ(run({"--mermaid", "x", "--from", "50", "--to", "10"}), 2);
  EXPECT_EQ(run({"--from", "5"}), 2);
  EXPECT_EQ(run({"--minutes", "0.002", "--seeds", "2"}), 2);
  EXPECT_EQ(run({"--config", "none"}), 2);
  EXPECT_EQ(run({"--service", "sql"}), 2);
  EXPECT_EQ(run({"--seeds", "0"}), 2);
  EXPECT_EQ(run({"--seed", "-1"}), 2);
  EXPECT_EQ(run({"--r", "2"}), 2);
  EXPECT_EQ(run({"--config", "crash", "--r", "1"}), 2);
}

TEST(Command, SaysBeforeTheRunThatAFileCannotBeWritten) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"--json", "/nowhere/at/all", "--seconds", "0.2"}), 1);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace eve::sim
