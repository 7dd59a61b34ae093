#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

namespace eve::runtime {
namespace {

constexpr uint64_t kWorthWaking = 1'000'000;

TEST(ThreadPool, RunsEveryIndexOnce) {
  for (size_t threads : {1u, 2u, 4u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.workers(), threads);
    for (size_t count : {0u, 1u, 2u, 3u, 17u, 1000u}) {
      std::vector<std::atomic<int>> runs(count);
      pool.run(count, kWorthWaking, [&](size_t worker, size_t index) {
        ASSERT_LT(worker, threads);
        runs[index].fetch_add(1);
      });
      for (auto& times : runs) EXPECT_EQ(times.load(), 1);
    }
  }
}

TEST(ThreadPool, TasksAtTheSameTimeHaveDifferentWorkers) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(pool.workers());
  std::atomic<bool> shared{false};
  for (int round = 0; round < 50; ++round) {
    pool.run(64, kWorthWaking, [&](size_t worker, size_t) {
      if (inside[worker].fetch_add(1) != 0) shared = true;
      std::this_thread::yield();
      inside[worker].fetch_sub(1);
    });
  }
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, WhatTasksWroteIsSeenByTheCaller) {
  ThreadPool pool(3);
  std::vector<uint64_t> results(5000);
  for (uint64_t round = 0; round < 200; ++round) {
    pool.run(results.size(), kWorthWaking,
             [&](size_t, size_t index) { results[index] = index + round; });
    for (size_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i], i + round);
  }
}

TEST(ThreadPool, HelpersDoTheirShare) {
  ThreadPool pool(2);
  std::mutex mutex;
  std::set<size_t> workers;
  // Tasks that last until both workers came, or long enough for a loaded machine.
  for (int round = 0; round < 100 && workers.size() < 2; ++round) {
    pool.run(8, kWorthWaking, [&](size_t worker, size_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::lock_guard lock(mutex);
      workers.insert(worker);
    });
  }
  EXPECT_EQ(workers.size(), 2u);
}

TEST(ThreadPool, SmallJobsWakeNobody) {
  ThreadPool pool(4);
  // Helpers have to be asleep first; they spin for microseconds only.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  size_t sum = 0;
  for (int round = 0; round < 100; ++round) {
    pool.run(10, 100, [&](size_t worker, size_t index) {
      EXPECT_EQ(worker, 0u);
      sum += index;
    });
  }
  EXPECT_EQ(sum, 4500u);
  EXPECT_EQ(pool.wakeups(), 0u);
}

}  // namespace
}  // namespace eve::runtime
