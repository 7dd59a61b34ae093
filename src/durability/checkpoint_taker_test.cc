#include "durability/checkpoint_taker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "durability/checkpoint_testing.h"

namespace eve::durability {
namespace {

using testing::digester;
using testing::Replica;
using testing::TestDisk;
using testing::Writer;

CheckpointOptions quick() {
  CheckpointOptions options;
  options.header = testing::header();
  options.policy = {1000, 1, 10, 100};
  options.rate = {1'000'000'000, 100};
  options.file = {2000, 0};
  options.chunk_bytes = 400;
  return options;
}

std::optional<CheckpointPlace> anywhere(BatchNumber number) {
  return CheckpointPlace{journal::Position(100 + number.value()), "here"};
}

class TakerTest : public ::testing::Test {
 protected:
  TakerTest() { writer.write(0, 100, "value"); }

  std::unique_ptr<CheckpointTaker> make(const CheckpointOptions& options = quick()) {
    return std::make_unique<CheckpointTaker>(disk, digester(), options, [this] { return now; });
  }
  /// Steps, and works, until an attempt has ended.
  void finish(CheckpointTaker& taker, uint64_t log_bytes = 0) {
    const auto ended = [&] { return taker.counts().taken + taker.counts().failed; };
    const uint64_t before = ended();
    for (int i = 0; i < 5000 && ended() == before; ++i) {
      ++now;
      taker.step(writer.replica.runner, log_bytes);
      (void)taker.work(anywhere);
    }
    taker.step(writer.replica.runner, log_bytes);
  }

  Writer writer;
  TestDisk disk;
  TimeUs now = 1'000'000;
};

TEST_F(TakerTest, TakesOneWhenItIsDueAndThenNotBeforeTheLogHasGrown) {
  const auto taker = make();
  const uint64_t state = writer.replica.runner.state_bytes();
  for (int i = 0; i < 10; ++i) taker->step(writer.replica.runner, state - 1);
  EXPECT_FALSE(taker->work(anywhere));
  EXPECT_FALSE(taker->taken());
  finish(*taker, state);
  const auto taken = taker->taken();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->number, BatchNumber(writer.replica.number));
  EXPECT_EQ(taken->position, journal::Position(100 + writer.replica.number));
  EXPECT_EQ(taken->bytes, disk.content(taken->name).size());
  EXPECT_FALSE(taker->taken()) << "told once";
  finish(*taker, 2 * state - 1);
  EXPECT_EQ(taker->counts().taken, 1u);
  finish(*taker, 2 * state);
  EXPECT_EQ(taker->counts().taken, 2u);
  EXPECT_EQ(disk.names(), std::vector<std::string>{checkpoint_name(2)});
}

TEST_F(TakerTest, HoldsFewPiecesAndCutsOneAtATime) {
  auto options = quick();
  options.bytes_in_flight = 3'000;
  const auto taker = make(options);
  taker->want();
  for (int i = 0; i < 50; ++i, ++now) taker->step(writer.replica.runner, 0);
  (void)taker->work(anywhere);
  const uint64_t many = taker->counts().written_bytes;
  EXPECT_GT(many, 3'000u);
  EXPECT_LT(many, 3'000u + 1'000 + kCheckpointHeaderBytes + 10 * kFrameHeadBytes);
  taker->step(writer.replica.runner, 0);
  (void)taker->work(anywhere);
  const uint64_t one = taker->counts().written_bytes - many;
  EXPECT_GT(one, 0u);
  EXPECT_LT(one, 1'000u);
}

TEST_F(TakerTest, KeepsItsPace) {
  auto options = quick();
  options.rate.bytes_per_second = 1'000'000;
  const auto taker = make(options);
  EXPECT_GT(taker->time(), now + 1'000'000) << "nothing to do";
  taker->want();
  const TimeUs start = now;
  while (taker->counts().taken == 0) {
    // Asked more often than it wants to be: after every command.
    for (int i = 0; i < 3; ++i) taker->step(writer.replica.runner, 0);
    (void)taker->work(anywhere);
    // Where it waits it says for how long.
    now = std::max(now + 1, taker->time() < now + 1'000'000 ? taker->time() : now);
    ASSERT_LT(now, start + 10'000'000);
  }
  const auto written = static_cast<TimeUs>(taker->counts().written_bytes);
  EXPECT_GE(now - start, written * 7 / 10);
  EXPECT_LE(now - start, written * 2);
}

TEST_F(TakerTest, IsOfNothingBeforeTheFirstCommit) {
  Replica fresh;
  const auto taker = make();
  taker->want();
  taker->step(fresh.runner, 1'000'000);
  EXPECT_FALSE(taker->work(anywhere));
  fresh.open_session();
  taker->step(fresh.runner, 1'000'000);
  EXPECT_FALSE(taker->work(anywhere));
  EXPECT_TRUE(disk.names().empty());
}

TEST_F(TakerTest, IsOfWhatIsCommittedOnly) {
  const auto committed = writer.replica.runner.root();
  writer.replica.run(writer.batch({"set speculative yes"}));
  const auto taker = make();
  taker->want();
  taker->step(writer.replica.runner, 0);
  writer.replica.roll_back(writer.replica.number - 1);
  writer.next -= 1;
  writer.write(3, 1, "other");
  finish(*taker);
  const auto taken = taker->taken();
  ASSERT_TRUE(taken);
  EXPECT_EQ(inspect_checkpoint(disk, taken->name)->end.parts.state, committed);
}

TEST_F(TakerTest, GivesUpWhereItsPlaceIsForgottenAndTriesAgainLater) {
  const auto taker = make();
  taker->want();
  for (int i = 0; i < 500 && taker->counts().failed == 0; ++i, ++now) {
    taker->step(writer.replica.runner, 0);
    (void)taker->work([](BatchNumber) { return std::nullopt; });
  }
  EXPECT_EQ(taker->counts().failed, 1u);
  EXPECT_FALSE(taker->taken());
  EXPECT_NE(taker->counts().trouble.find("batch 2"), std::string::npos);
  EXPECT_TRUE(disk.names().empty());
  taker->step(writer.replica.runner, 1 << 20);
  taker->step(writer.replica.runner, 1 << 20);
  EXPECT_FALSE(taker->work(anywhere)) << "not at once";
  now += 10;
  finish(*taker, 1 << 20);
  EXPECT_EQ(taker->counts().taken, 1u);
  EXPECT_TRUE(taker->counts().trouble.empty());
}

TEST_F(TakerTest, GivesUpWhereTheDiskFailsOrIsFull) {
  const auto taker = make();
  disk.permits = [&](const std::string& call) { return call.rfind("sync", 0) != 0; };
  taker->want();
  finish(*taker);
  EXPECT_EQ(taker->counts().failed, 1u);
  EXPECT_TRUE(disk.names().empty());
  disk.permits = nullptr;
  disk.capacity = 3000;
  now += 1000;
  finish(*taker, 1 << 20);
  EXPECT_EQ(taker->counts().failed, 2u);
  EXPECT_TRUE(disk.names().empty());
  disk.capacity = 1 << 20;
  now += 1000;
  finish(*taker, 1 << 20);
  EXPECT_EQ(taker->counts().taken, 1u);
  EXPECT_GT(taker->counts().written_bytes, disk.used());
}

TEST_F(TakerTest, KeepsTheOldOneWhereTheNewOneFails) {
  const auto taker = make();
  taker->want();
  finish(*taker);
  ASSERT_EQ(disk.names(), std::vector<std::string>{checkpoint_name(1)});
  for (const std::string verb : {"create", "write", "sync check", "rename", "sync_names"}) {
    disk.permits = [&](const std::string& call) {
      EXPECT_NE(call.rfind("remove checkpoint-1", 0), 0u) << verb;
      return call.rfind(verb, 0) != 0;
    };
    taker->want();
    now += 1'000'000;
    finish(*taker);
    EXPECT_FALSE(verb != "sync_names" && disk.names().size() > 1) << verb;
    EXPECT_TRUE(disk.has(checkpoint_name(1))) << verb;
  }
  EXPECT_EQ(taker->counts().failed, 5u);
}

TEST_F(TakerTest, TwoThreadsShareIt) {
  auto options = quick();
  options.header = testing::header();
  CheckpointTaker taker(disk, digester(), options, [start = std::chrono::steady_clock::now()] {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                 start)
        .count();
  });
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> taken = 0;
  std::thread other([&] {
    while (!stop) {
      if (!taker.work(anywhere)) std::this_thread::yield();
      if (taker.taken()) ++taken;
      (void)taker.counts();
    }
  });
  uint64_t batches = 0;
  for (; taken < 3 && batches < 50'000; ++batches) {
    writer.write(batches % 150, 5, "value");
    taker.want();
    for (int i = 0; i < 5; ++i) taker.step(writer.replica.runner, 0);
  }
  stop = true;
  other.join();
  taker.stop();
  EXPECT_GE(taken.load(), 3u);
  Replica replica;
  const auto found = read_checkpoint(disk, testing::wanted(), replica.runner);
  ASSERT_TRUE(found.ok() && found->checkpoint);
  EXPECT_EQ(replica.runner.recompute_root(), found->checkpoint->end.parts.state);
}

}  // namespace
}  // namespace eve::durability
