#include "sim/fiber_scheduler.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace eve::sim {
namespace {

/// Everyone adds to one counter with a switch between reading and writing it.
int lossy_sum(uint64_t seed, uint64_t switch_every) {
  Fibers fibers(4);
  FiberScheduler scheduler(fibers, seed, switch_every);
  int counter = 0;
  scheduler.run(40, 1, [&](size_t, size_t) {
    const int seen = counter;
    scheduler.hook()->on_access();
    counter = seen + 1;
  });
  return counter;
}

TEST(FiberScheduler, RunsEveryTaskOnceOnAWorkerOfItsOwn) {
  Fibers fibers(4);
  FiberScheduler scheduler(fibers, 1, 2);
  std::multiset<size_t> done;
  std::set<size_t> busy;
  std::set<size_t> workers;
  scheduler.run(100, 1, [&](size_t worker, size_t index) {
    EXPECT_TRUE(busy.insert(worker).second);
    scheduler.hook()->on_access();
    done.insert(index);
    workers.insert(worker);
    busy.erase(worker);
  });
  EXPECT_EQ(done.size(), 100u);
  EXPECT_EQ(std::set<size_t>(done.begin(), done.end()).size(), 100u);
  EXPECT_EQ(workers, (std::set<size_t>{0, 1, 2, 3}));
}

TEST(FiberScheduler, ARaceReplays) {
  EXPECT_EQ(lossy_sum(7, 0), 40) << "no switches, no race";
  EXPECT_LT(lossy_sum(7, 2), 40);
  EXPECT_EQ(lossy_sum(7, 2), lossy_sum(7, 2));
  std::set<int> results;
  for (uint64_t seed = 0; seed < 20; ++seed) results.insert(lossy_sum(seed, 2));
  EXPECT_GT(results.size(), 1u);
}

TEST(FiberScheduler, ExceptionsStayInTheirFiber) {
  Fibers fibers(4);
  FiberScheduler scheduler(fibers, 3, 1);
  std::vector<std::string> caught(8);
  scheduler.run(8, 1, [&](size_t, size_t index) {
    try {
      scheduler.hook()->on_access();
      throw std::runtime_error(std::to_string(index));
    } catch (const std::exception&) {
      scheduler.hook()->on_access();
      try {
        throw;
      } catch (const std::exception& again) {
        caught[index] = again.what();
      }
    }
  });
  for (size_t i = 0; i < caught.size(); ++i) EXPECT_EQ(caught[i], std::to_string(i));
}

TEST(FiberScheduler, AnAccessOutsideOfTasksIsNothing) {
  Fibers fibers(2);
  FiberScheduler scheduler(fibers, 3, 1);
  scheduler.hook()->on_access();
  scheduler.run(0, 1, [](size_t, size_t) { FAIL(); });
}

}  // namespace
}  // namespace eve::sim
