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
  EXPECT_EQ(why_not_back({{"gateway", {{"open", true}}}}, 1'000), "");
}

}  // namespace
}  // namespace eve::cli
