#include "runtime/event_loop.h"

#include <gtest/gtest.h>

#include <thread>

namespace eve::runtime {
namespace {

/// Does what its functions say; each may be empty.
struct TestMember final : EventLoop::Member {
  TimeUs deadline() const override { return due; }
  void tick(TimeUs now) override { on_tick(now); }
  bool idle(TimeUs) override { return on_idle && on_idle(); }
  void flush() override { ++flushes; }

  TimeUs due = kNever;
  std::function<void(TimeUs)> on_tick;
  std::function<bool()> on_idle;
  int flushes = 0;
};

TEST(EventLoop, RunsWhatIsPostedInOrder) {
  EventLoop loop;
  std::vector<int> order;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&order, i] { order.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  poster.join();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(EventLoop, StopBeforeRunHolds) {
  EventLoop loop;
  loop.stop();
  loop.run();
}

TEST(EventLoop, TicksWhenDueAndNotBefore) {
  EventLoop loop;
  TestMember member;
  loop.add(member);
  const auto due = loop.now() + 20'000;
  member.due = due;
  TimeUs ticked = 0;
  member.on_tick = [&](TimeUs now) {
    ticked = now;
    loop.stop();
  };
  loop.run();
  EXPECT_GE(ticked, due);
}

TEST(EventLoop, SettlesBeforeItFlushes) {
  EventLoop loop;
  TestMember member;
  loop.add(member);
  int left = 10;
  member.on_idle = [&] {
    EXPECT_EQ(member.flushes, 0);
    if (--left == 0) loop.stop();
    return left > 0;
  };
  loop.post([] {});
  loop.run();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(member.flushes, 1);
}

TEST(EventLoop, MembersThatNeverSettleDoNotStarveTheRest) {
  EventLoop loop;
  TestMember member;
  loop.add(member);
  member.on_idle = [] { return true; };
  std::thread stopper([&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  stopper.join();
  EXPECT_GT(member.flushes, 0);
}

TEST(Clock, NeverGoesBackwards) {
  Clock clock;
  auto last = clock.now();
  for (int i = 0; i < 10'000; ++i) {
    const auto now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, GoesAtHalfSpeedUntilAStepBackIsCaughtUpWith) {
  constexpr TimeUs kBegin = 1'000'000'000;
  constexpr TimeUs kStep = 50'001;
  // However often it is read, and at whatever distances.
  for (const TimeUs between : {1, 2, 3, 7, 1'000}) {
    TimeUs steady = 12'345;
    Clock clock(kBegin, steady);
    TimeUs passed = 0;
    for (; passed < kStep; passed += between) {
      const auto now = clock.at(kBegin - kStep + passed, steady + passed);
      ASSERT_NEAR(static_cast<double>(now - kBegin), static_cast<double>(passed) / 2, 1) << between;
    }
    EXPECT_EQ(clock.at(kBegin + 3 * kStep, steady + 4 * kStep), kBegin + 3 * kStep);
  }
}

}  // namespace
}  // namespace eve::runtime
