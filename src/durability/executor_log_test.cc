#include "durability/executor_log.h"

#include <gtest/gtest.h>

#include <map>

#include "durability/executor_checkpoints.h"
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
    checkpoints.reset();
    keeper.reset();
    opened.reset();
    options.life = journal::testing::life(++lives);
    const ExecutorLogAccess log{
        [this](bool before, NoteVisitor& visitor, Found& found) {
          options.ran_before = before;
          auto made = Keeper::open(disk, options, visitor, found);
          if (made.ok()) keeper = std::move(*made);
          return made.status();
        },
        [this](const std::string& why) { return give_up_log(disk, options.log.name, why); }, &disk,
        options.log.owner};
    auto result = open_executor(log, ran_before, digester(), from, [this]() -> execution::Runner& {
      ++attempts;
      replica = std::make_unique<Replica>();
      return replica->runner;
    });
    if (!result) return result.status();
    opened.emplace(std::move(*result));
    CheckpointOptions taking;
    taking.header = {options.log.owner, keeper->life(), from, 0};
    taking.file.keep_free_bytes = 0;
    checkpoints = std::make_unique<ExecutorCheckpoints>(disk, digester(), *opened->places, taking,
                                                        [this] { return now += 1'000'000; });
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
    const auto first = keeper->end();
    EXPECT_TRUE(keeper->keep(std::exchange(recorded->notes, {}), recorded->until).ok());
    recorded->tell(*opened->places, first, keeper->end());
    return events;
  }
  /// Runs and commits `count` batches, so that the log has several segments.
  void grow(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      run(++next_nonce);
      apply(execution::CommitBatches{BatchNumber(stands_at())});
    }
  }
  /// Steps of both parties until there is one more. False: it was given up.
  bool take_checkpoint() {
    const auto before = checkpoints->taker().counts();
    checkpoints->taker().want();
    for (int i = 0; i < 1000; ++i) {
      (void)checkpoints->taker().step(replica->runner, 0);
      (void)checkpoints->work(*keeper);
      const auto now_is = checkpoints->taker().counts();
      if (now_is.taken > before.taken) return true;
      if (now_is.failed > before.failed) return false;
    }
    return false;
  }
  std::vector<std::string> files(const std::string& beginning) const {
    std::vector<std::string> found;
    for (const std::string& name : disk.names()) {
      if (name.starts_with(beginning)) found.push_back(name);
    }
    return found;
  }
  BatchNumber stands_at() const { return replica->runner.resume().parts.number; }

  const crypto::Digest genesis = wire::genesis_token(Replica().runner.empty_root(), digester());
  journal::testing::TestDisk disk;
  KeeperOptions options;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Keeper> keeper;
  std::optional<OpenedExecutor> opened;
  std::unique_ptr<ExecutorCheckpoints> checkpoints;
  TimeUs now = 0;
  uint8_t lives = 0;
  uint64_t next_nonce = 100;
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

// Without its newest file it could be followed.
TEST_F(ExecutorLogTest, APartOfALogThatWasBeingSetAsideIsNotTakenForOne) {
  ASSERT_TRUE(start().ok());
  grow(20);
  ASSERT_TRUE(start().ok());  // goes on in a new file
  ASSERT_TRUE(
      keeper->keep({note_of(execution::CommitBatches{BatchNumber(90)})}, Keeper::Until::kDurable)
          .ok());
  const auto segments = journal::list_segments(disk, options.log.name);
  ASSERT_GT(segments->size(), 2u);
  const std::string newest = "rename " + journal::testing::TestDisk::short_name(segments->back());
  disk.permits = [&](const std::string& call) {
    return call.rfind("rename log-", 0) != 0 || call.ends_with(".new") || call == newest;
  };
  EXPECT_FALSE(start().ok());
  disk.permits = nullptr;
  EXPECT_TRUE(disk.has("log.lost"));
  EXPECT_FALSE(disk.has(segments->back()));
  EXPECT_TRUE(disk.has(segments->front()));
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_NE(opened->trouble, "");
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

TEST_F(ExecutorLogTest, AStartGoesOnFromTheCheckpointThatTheLogWasCutBehind) {
  ASSERT_TRUE(start().ok());
  grow(60);
  const size_t before = files("log-").size();
  ASSERT_GT(before, 2u);
  ASSERT_TRUE(take_checkpoint()) << checkpoints->taker().counts().trouble;
  EXPECT_LT(files("log-").size(), before);
  grow(3);
  run(++next_nonce);
  const crypto::Digest root = replica->runner.root();
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->at_checkpoint);
  EXPECT_FALSE(opened->restarted) << opened->trouble;
  EXPECT_EQ(replica->runner.root(), root);
  EXPECT_EQ(replica->runner.recompute_root(), root);
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(63));
  EXPECT_EQ(opened->recovered->above.size(), 1u);
  // And again from there, with another one.
  grow(30);
  ASSERT_TRUE(take_checkpoint());
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->restarted) << opened->trouble;
  EXPECT_EQ(files("checkpoint-").size(), 1u);
}

TEST_F(ExecutorLogTest, ACutLogWithoutItsCheckpointIsALostMemory) {
  ASSERT_TRUE(start().ok());
  grow(60);
  ASSERT_TRUE(take_checkpoint());
  grow(2);
  for (const std::string& name : files("checkpoint-")) disk.lose(name);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_NE(opened->trouble.find("no checkpoint of what was before"), std::string::npos);
  EXPECT_EQ(replica->runner.root(), replica->runner.empty_root());
  EXPECT_FALSE(files("log-").empty());
}

// Positions that the checkpoint says to pass by would be given to new notes.
TEST_F(ExecutorLogTest, ACheckpointBeyondTheEndOfItsLogIsALostMemory) {
  ASSERT_TRUE(start().ok());
  grow(5);
  std::map<std::string, Bytes> earlier;
  for (const std::string& name : files("log-")) {
    disk.damage(name, [&](Bytes& bytes) { earlier[name] = bytes; });
  }
  grow(5);
  ASSERT_TRUE(take_checkpoint());
  checkpoints.reset();
  keeper.reset();
  for (const std::string& name : files("log-")) disk.lose(name);
  for (const auto& [name, bytes] : earlier) disk.put_file(name, bytes);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_NE(opened->trouble, "");
  EXPECT_EQ(replica->runner.root(), replica->runner.empty_root());
  // What runs now is of another log: the old checkpoint is not used for it.
  grow(2);
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Keeper::Until::kDurable).ok());
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->restarted) << opened->trouble;
  EXPECT_FALSE(opened->at_checkpoint);
  EXPECT_EQ(stands_at(), BatchNumber(2));
}

// A note that is not on the disk must not be what a checkpoint begins after, nor one that is lost
// with the machine.
TEST_F(ExecutorLogTest, WhatACheckpointBeginsAfterIsOnTheDisk) {
  options.durability = Durability::kAsync;
  ASSERT_TRUE(start().ok());
  grow(10);
  EXPECT_FALSE(keeper->all_durable());
  ASSERT_TRUE(take_checkpoint());
  disk.crash();
  options.machine_start = "two";
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->at_checkpoint) << opened->trouble;
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(10));
}

TEST_F(ExecutorLogTest, AnErrorWhileItSyncsForACheckpointGivesItUpAndIsTheKeepersToMend) {
  options.durability = Durability::kAsync;
  ASSERT_TRUE(start().ok());
  grow(10);
  checkpoints->taker().want();
  (void)checkpoints->taker().step(replica->runner, 0);
  disk.permits = [](const std::string& call) { return call.find("sync log") == std::string::npos; };
  while (checkpoints->work(*keeper)) {
  }
  disk.permits = nullptr;
  EXPECT_FALSE(keeper->state().ok());
  EXPECT_EQ(checkpoints->taker().counts().failed, 1u);
  EXPECT_TRUE(files("checkpoint-").empty());
}

TEST_F(ExecutorLogTest, ALogInManyFilesIsWorthACheckpoint) {
  ASSERT_TRUE(start().ok());
  grow(1);
  ASSERT_TRUE(keeper->keep({}, Keeper::Until::kDurable).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->in_pieces);
  ASSERT_TRUE(take_checkpoint()) << checkpoints->taker().counts().trouble;
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->in_pieces);
}

}  // namespace
}  // namespace eve::durability
