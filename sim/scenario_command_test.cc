#include "sim/scenario_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/command.h"

namespace eve::sim {
namespace {

/// A folder of its own, with one script in it.
class ScenarioCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("eve_scenario_test_" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
    write("cluster u=1 r=0\nuntil quiet\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) { std::ofstream(folder_ / "a.scenario") << text; }
  std::filesystem::path golden() const { return folder_ / "a.transcript"; }

  int run(std::vector<std::string> words) {
    words.insert(words.begin(), "sim");
    words.insert(words.end(), {"--scenario", (folder_ / "a.scenario").string()});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return run_command(static_cast<int>(argv.size()), argv.data());
  }

  std::filesystem::path folder_;
};

TEST_F(ScenarioCommand, ChecksWhatItBlessed) {
  EXPECT_EQ(run({"--check"}), 1) << "there is no golden transcript yet";
  EXPECT_EQ(run({"--bless"}), 0);
  EXPECT_TRUE(std::filesystem::exists(golden()));
  EXPECT_EQ(run({"--check"}), 0);
  std::ofstream(golden(), std::ios::app) << "one line more\n";
  EXPECT_EQ(run({"--check"}), 1);
}

TEST_F(ScenarioCommand, AFailureIsNotBlessed) {
  write("cluster u=1 r=0\nexpect executors committed 9\n");
  EXPECT_EQ(run({"--bless"}), 1);
  EXPECT_FALSE(std::filesystem::exists(golden()));
}

TEST_F(ScenarioCommand, PrintsTranscriptsAndDiagrams) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout().find("> cluster u=1 r=0\n"), 0u);
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"--mermaid"}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout().find("sequenceDiagram\n"), 0u);
}

TEST_F(ScenarioCommand, RefusesWrongUsage) {
  EXPECT_EQ(run({"--bless", "--check"}), 2);
  EXPECT_EQ(run({"--seed", "7"}), 2);
  std::filesystem::remove(folder_ / "a.scenario");
  EXPECT_EQ(run({}), 2);
}

}  // namespace
}  // namespace eve::sim
