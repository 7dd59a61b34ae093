#include "sim/node_clock.h"

#include <gtest/gtest.h>

namespace eve::sim {
namespace {

TEST(NodeClock, GoesAheadAtOnce) {
  NodeClock clock(1000);
  EXPECT_EQ(clock.read(10), 1010);
  clock.step(500);
  EXPECT_EQ(clock.read(20), 1520);
}

TEST(NodeClock, AStepBackMakesItGoAtHalfSpeed) {
  NodeClock clock(1000);
  EXPECT_EQ(clock.read(0), 1000);
  clock.step(-100);
  for (TimeUs at = 1; at <= 100; ++at) {
    EXPECT_EQ(clock.read(at), 1000 + at / 2) << "however often it is read";
  }
  EXPECT_EQ(clock.read(300), 1200) << "it has caught up";
}

TEST(NodeClock, Drifts) {
  NodeClock clock(0);
  clock.drift(0, 1000);
  EXPECT_EQ(clock.read(1'000'000), 1'001'000);
  clock.drift(1'000'000, -1000);
  EXPECT_EQ(clock.read(1'000'000), 1'001'000) << "no jump";
  EXPECT_EQ(clock.read(3'000'000), 2'999'000);
}

}  // namespace
}  // namespace eve::sim
