#include "durability/checkpoint_policy.h"

#include <gtest/gtest.h>

namespace eve::durability {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(CheckpointTimer, IsDueWhenTheLogIsLongerThanTheStateAndThanTheLeast) {
  const CheckpointTimer timer({64 * kMiB, 1, 10, 100});
  EXPECT_FALSE(timer.due(64 * kMiB - 1, 0, 0));
  EXPECT_TRUE(timer.due(64 * kMiB, 0, 0));
  EXPECT_TRUE(timer.due(64 * kMiB, 64 * kMiB, 0));
  EXPECT_FALSE(timer.due(100 * kMiB, 101 * kMiB, 0));
  EXPECT_TRUE(timer.due(101 * kMiB, 101 * kMiB, 0));
  const CheckpointTimer rarely({64 * kMiB, 3, 10, 100});
  EXPECT_FALSE(rarely.due(299 * kMiB, 100 * kMiB, 0));
  EXPECT_TRUE(rarely.due(300 * kMiB, 100 * kMiB, 0));
}

TEST(CheckpointTimer, WaitsTwiceAsLongAfterEachFailure) {
  CheckpointTimer timer({0, 1, 10, 35});
  const auto first_due = [&](TimeUs from) {
    TimeUs at = from;
    while (!timer.due(1, 1, at)) ++at;
    return at - from;
  };
  EXPECT_EQ(first_due(5), 0);
  timer.failed(100);
  EXPECT_EQ(first_due(100), 10);
  timer.failed(200);
  EXPECT_EQ(first_due(200), 20);
  timer.failed(300);
  EXPECT_EQ(first_due(300), 35);
  timer.failed(400);
  EXPECT_EQ(first_due(400), 35);
  timer.succeeded();
  EXPECT_EQ(first_due(400), 0);
  timer.failed(500);
  EXPECT_EQ(first_due(500), 10);
}

TEST(CheckpointPace, KeepsBothRates) {
  CheckpointPace pace({1'000'000, 10});
  EXPECT_TRUE(pace.may_step(0));
  pace.stepped(1'000, 1'200, 100);  // 200 us are a tenth of 2,000; 100 bytes take 100 us
  EXPECT_EQ(pace.next(), 3'000);
  EXPECT_FALSE(pace.may_step(2'999));
  EXPECT_TRUE(pace.may_step(3'000));
  pace.stepped(3'000, 3'001, 5'000);
  EXPECT_EQ(pace.next(), 8'000);
  // What was not used is not saved up.
  pace.stepped(1'000'000, 1'000'200, 100);
  EXPECT_EQ(pace.next(), 1'002'000);
}

TEST(CheckpointPace, HurriesUpToEightTimesAndNeverWithoutABreak) {
  CheckpointPace pace({1'000'000, 10});
  for (const TimeUs wait : {8'000, 4'000, 2'000, 1'000, 1'000}) {
    pace.stepped(0, 100, 8'000);
    EXPECT_EQ(pace.next(), wait);
    pace.hurry();
  }
  pace.stepped(0, 3'000, 8'000);  // a tenth of the time, eight times over
  EXPECT_EQ(pace.next(), 3'750);
  pace.begin();
  pace.stepped(0, 100, 8'000);
  EXPECT_EQ(pace.next(), 8'000);
}

}  // namespace
}  // namespace eve::durability
