#include "durability/executor_log.h"

#include <gtest/gtest.h>

#include "durability/executor_recovery.h"
#include "execution/runner_testing.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using execution::testing::digester;
using execution::testing::open;
using execution::testing::Replica;

class ExecutorLogTest : public ::testing::Test {
 protected:
  ExecutorLogTest() {
    options.log = journal::testing::small_options();
    options.life = journal::testing::life(1);
    options.machine_start = "one";
  }

  /// The next process.
  Status start() { return start(genesis); }
  Status start(const crypto::Digest& from) {
    keeper.reset();
    opened.reset();
    const ExecutorLogAccess log{[this](bool before, NoteVisitor& visitor, Found& found) {
                                  options.ran_before = before;
                                  auto made = Keeper::open(disk, options, visitor, found);
                                  if (made.ok()) keeper = std::move(*made);
                                  return made.status();
                                },
                                [this] { return journal::set_aside_log(disk, options.log.name); },
                                &disk, options.log.owner};
    auto result = open_executor(log, ran_before, digester(), from, [this]() -> execution::Runner& {
      ++attempts;
      replica = std::make_unique<Replica>();
      return replica->runner;
    });
    if (!result) return result.status();
    opened.emplace(std::move(*result));
    const auto kept = keeper->keep(std::move(opened->opening_notes), Keeper::Until::kDurable);
    return kept;
  }
  execution::BatchExecuted run(uint64_t nonce) {
    const uint64_t last = stands_at().value();
    const auto batch =
        wire::make_batch(View(), BatchNumber(last + 1), static_cast<TimeUs>(1'000'000 + last), 7,
                         {open(0, nonce)}, digester());
    const execution::Command command = execution::RunBatch{0, batch, {}, {}};
    return std::get<execution::BatchExecuted>(apply(command).front());
  }
  std::vector<execution::Event> apply(const execution::Command& command) {
    auto events = replica->apply(command);
    auto recorded = opened->recorder->record(command, events);
    EXPECT_TRUE(recorded.ok());
    EXPECT_TRUE(keeper->keep(std::move(recorded->notes), recorded->until).ok());
    return events;
  }
  BatchNumber stands_at() const { return replica->runner.resume().parts.number; }

  const crypto::Digest genesis = wire::genesis_token(Replica().runner.empty_root(), digester());
  journal::testing::TestDisk disk;
  KeeperOptions options;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Keeper> keeper;
  std::optional<OpenedExecutor> opened;
  bool ran_before = false;
  int attempts = 0;
};

TEST_F(ExecutorLogTest, AFirstStartRecoversNothing) {
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->recovered.has_value());
  EXPECT_FALSE(opened->restarted);
  EXPECT_EQ(opened->trouble, "");
}

TEST_F(ExecutorLogTest, WhatWasRunStandsAgainWhenThePowerHasFailed) {
  ASSERT_TRUE(start().ok());
  run(1);
  apply(execution::CommitBatches{BatchNumber(1)});
  const auto second = run(2);
  const crypto::Digest root = replica->runner.root();
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(replica->runner.root(), root);
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_FALSE(opened->restarted);
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(1));
  ASSERT_EQ(opened->recovered->said.size(), 1u);
  EXPECT_EQ(opened->recovered->said[0].token, second.token);
}

TEST_F(ExecutorLogTest, ALostLogIsALostMemory) {
  ASSERT_TRUE(start().ok());
  run(1);
  opened.reset();
  for (const std::string& name : disk.names()) disk.lose(name);
  ran_before = true;
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_NE(opened->trouble, "");
  EXPECT_EQ(replica->runner.root(), replica->runner.empty_root());
}

// What is readable, and cannot be done: kept for a person, and the executor begins anew.
TEST_F(ExecutorLogTest, ALogThatCannotBeFollowedIsSetAside) {
  ASSERT_TRUE(start().ok());
  run(1);
  ASSERT_TRUE(
      keeper->keep({note_of(execution::CommitBatches{BatchNumber(5)})}, Keeper::Until::kDurable)
          .ok());
  attempts = 0;
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(attempts, 2);
  EXPECT_TRUE(opened->restarted);
  EXPECT_NE(opened->trouble.find("batch 5 was committed, and never run"), std::string::npos);
  EXPECT_EQ(replica->runner.root(), replica->runner.empty_root());
  bool kept = false;
  for (const std::string& name : disk.names()) kept |= name.ends_with(".damaged");
  EXPECT_TRUE(kept);
  // And it is still one without memory after another restart, until it says otherwise.
  run(1);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_EQ(stands_at(), BatchNumber(0)) << "nothing was committed";
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Keeper::Until::kDurable).ok());
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->restarted);
}

TEST_F(ExecutorLogTest, ALogOfAnotherServiceStaysAsItIs) {
  ASSERT_TRUE(start().ok());
  run(1);
  opened.reset();
  EXPECT_FALSE(start(crypto::Digest{}).ok());
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->restarted);
  EXPECT_EQ(stands_at(), BatchNumber(1));
}

}  // namespace
}  // namespace eve::durability
