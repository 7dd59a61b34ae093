#include "runtime/refusal_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

TEST(RefusalLog, CountsBySenderTheMostRefusedFirst) {
  RefusalLog log("node-0");
  log.add("node-1", "a lie", 0);
  log.add("node-2", "noise", 0, 5);
  log.add("node-1", "another lie", 0);
  const auto entries = log.entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].sender, "node-2");
  EXPECT_EQ(entries[0].count, 5u);
  EXPECT_EQ(entries[1].sender, "node-1");
  EXPECT_EQ(entries[1].count, 2u);
  EXPECT_EQ(entries[1].reason, "another lie");
  EXPECT_EQ(log.total(), 7u);
}

TEST(RefusalLog, SaysSoOnceInAWhileForEachSender) {
  RefusalLog log("node-0");
  for (TimeUs now = 0; now < host_limits::kRefusalLogUs; now += host_limits::kRefusalLogUs / 50) {
    log.add("node-1", "a lie", now);
  }
  EXPECT_EQ(log.lines(), 1u);
  log.add("node-2", "a lie", 0);
  EXPECT_EQ(log.lines(), 2u);
  log.add("node-1", "a lie", host_limits::kRefusalLogUs);
  EXPECT_EQ(log.lines(), 3u);
}

TEST(RefusalLog, HoldsSoManySendersAndNoMore) {
  RefusalLog log("node-0");
  const size_t strangers = 2 * host_limits::kMaxRefusedSenders;
  for (size_t i = 0; i < strangers; ++i) log.add("10.0.0." + std::to_string(i), "noise", 0);
  EXPECT_EQ(log.entries().size(), host_limits::kMaxRefusedSenders + 1);
  EXPECT_EQ(log.entries().front().count, host_limits::kMaxRefusedSenders);
  EXPECT_LE(log.lines(), host_limits::kMaxRefusedSenders + 1);
  EXPECT_EQ(log.total(), strangers);
  log.add("10.0.0.1", std::string(10'000, 'x'), 0);
  EXPECT_EQ(log.entries()[1].reason.size(), host_limits::kMaxReasonBytes);
}

TEST(RefusalLog, NamesAPeerHoweverManyStrangersThereAre) {
  RefusalLog log("node-0", {"node-1", "node-2"});
  for (size_t i = 0; i < 2 * host_limits::kMaxRefusedSenders; ++i) {
    log.add("10.0.0." + std::to_string(i), "noise", 0);
  }
  log.add("node-1", "a lie", 0);
  const auto entries = log.entries();
  EXPECT_EQ(entries.size(), host_limits::kMaxRefusedSenders + 2);
  const auto named = std::find_if(entries.begin(), entries.end(),
                                  [](const auto& entry) { return entry.sender == "node-1"; });
  ASSERT_NE(named, entries.end());
  EXPECT_EQ(named->count, 1u);
}

TEST(RefusalsSeen, PassesOnWhatIsNew) {
  Refusals refusals;
  RefusalsSeen seen;
  RefusalLog log("node-0");
  const auto pass_on = [&] {
    seen.pass_on(
        refusals, [](Address sender) { return to_string(sender); }, log, 0);
  };
  pass_on();
  refusals.add(Address::verifier(2), "a lie");
  refusals.add(Address::verifier(2), "a worse lie");
  pass_on();
  refusals.add(Address::executor(1), "noise");
  pass_on();
  pass_on();
  const auto entries = log.entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].sender, "verifier-2");
  EXPECT_EQ(entries[0].count, 2u);
  EXPECT_EQ(entries[0].reason, "a worse lie");
  EXPECT_EQ(entries[1].count, 1u);
}

}  // namespace
}  // namespace eve::runtime
