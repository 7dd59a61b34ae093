#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace eve::sim {
namespace {

bool never() {
  return false;
}

TEST(EventQueue, ByTimeThenByOrderOfScheduling) {
  EventQueue queue;
  std::vector<int> seen;
  queue.at(20, [&] { seen.push_back(3); });
  queue.at(10, [&] { seen.push_back(1); });
  queue.at(20, [&] { seen.push_back(4); });
  queue.at(10, [&] {
    seen.push_back(2);
    queue.at(5, [&] { seen.push_back(22); });
  });
  queue.run_until(19, never);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 22})) << "the past means now";
  EXPECT_EQ(queue.now(), 19);
  queue.run_until(20, never);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 22, 3, 4}));
  EXPECT_EQ(queue.executed(), 5u);
}

TEST(EventQueue, StopsWhenItIsDone) {
  EventQueue queue;
  int runs = 0;
  for (int i = 1; i <= 5; ++i) queue.after(i, [&] { ++runs; });
  queue.run_until(100, [&] { return runs == 2; });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(queue.now(), 2) << "the time of the last action";
}

}  // namespace
}  // namespace eve::sim
