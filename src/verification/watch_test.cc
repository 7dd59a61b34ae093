// V6 b and c: how long a verifier waits for tokens before it asks for the next view.
#include "verification/watch.h"

#include <gtest/gtest.h>

namespace eve::verification::testing {
namespace {

constexpr TimeUs kDelayUs = 20'000;
constexpr TimeUs kProgressUs = 500'000;
constexpr TokenView kKnown{.known = true, .diverged = false, .hopeless = false};
constexpr TokenView kDiffer{.known = true, .diverged = true, .hopeless = false};

class WatchTest : public ::testing::Test {
 protected:
  /// A view whose first batch takes until `at`, when its tokens differ.
  TimeUs wait_after(TimeUs at, uint32_t diverged_views) {
    watch_.enter();
    watch_.started(0);
    watch_.observe(BatchNumber(1), kDiffer, at);
    return watch_.deadline(0, diverged_views) - at;
  }
  Watch watch_{FaultModel(1, 1), kDelayUs, kProgressUs};
};

TEST_F(WatchTest, V6bDivergenceIsAwaitedLongerAfterEachViewThatBoreNothing) {
  EXPECT_EQ(wait_after(1, 0), kDelayUs);
  EXPECT_EQ(watch_.due(kDelayUs, 0, 0), Reason::kNone);
  EXPECT_EQ(watch_.due(kDelayUs + 1, 0, 0), Reason::kDivergence);
  EXPECT_EQ(wait_after(1, 1), 2 * kDelayUs);
  EXPECT_EQ(wait_after(1, 5), 32 * kDelayUs);
  EXPECT_EQ(wait_after(1, 9), 32 * kDelayUs) << "a poisonous bundle takes K views";
}

TEST_F(WatchTest, V6bWhoIsSlowerMayTakeAsLongAgain) {
  EXPECT_EQ(wait_after(1'000'000, 0), kDelayUs) << "the first time it is not known to be slow";
  EXPECT_EQ(wait_after(1'000'000, 1), 2'000'000);
  EXPECT_EQ(wait_after(60'000'000, 1), 32 * kProgressUs) << "but not without end";
}

TEST_F(WatchTest, V6cSilenceCountsFromTheFirstWordAndNotWhereTokensDiffer) {
  watch_.enter();
  watch_.started(0);
  EXPECT_EQ(watch_.deadline(0, 0), kNever);
  watch_.observe(BatchNumber(1), kKnown, 100);
  watch_.observe(BatchNumber(1), kKnown, 200);
  EXPECT_EQ(watch_.deadline(0, 0), 100 + kProgressUs);
  EXPECT_EQ(watch_.deadline(2, 0), 100 + 4 * kProgressUs);
  EXPECT_EQ(watch_.due(99 + kProgressUs, 0, 0), Reason::kNone);
  EXPECT_EQ(watch_.due(100 + kProgressUs, 0, 0), Reason::kSilence);
  watch_.observe(BatchNumber(1), kDiffer, 300);
  EXPECT_EQ(watch_.deadline(0, 0), 300 + kDelayUs);
  watch_.observe(BatchNumber(2), {}, 400);
  EXPECT_EQ(watch_.deadline(0, 0), kNever) << "another batch, another wait";
}

}  // namespace
}  // namespace eve::verification::testing
