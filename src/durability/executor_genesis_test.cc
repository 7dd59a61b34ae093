// Starts of an executor whose cluster begins with a backup's state.
#include <gtest/gtest.h>

#include "durability/checkpoint_testing.h"
#include "durability/executor_checkpoints.h"
#include "durability/executor_log.h"
#include "durability/genesis_state.h"
#include "execution/runner_testing.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using execution::testing::digester;
using execution::testing::open;
using execution::testing::Replica;

class ExecutorGenesisTest : public ::testing::Test {
 protected:
  ExecutorGenesisTest() {
    testing::Writer writer;
    writer.write(0, 20, "v");
    testing::TestDisk of_backup;
    const auto name = testing::write_checkpoint(of_backup, writer.replica, journal::Position(1));
    Replica fresh;
    EXPECT_TRUE(begin_with_checkpoint(of_backup, *name, digester(), fresh.runner).ok());
    EXPECT_TRUE(write_genesis(genesis_disk, "cluster-2", digester(), fresh.runner).ok());
    root = fresh.runner.root();
    time = writer.replica.time;
    options.log = journal::testing::small_options();
    options.machine_start = "one";
  }

  /// The next process.
  Status start() {
    keeper.reset();
    opened.reset();
    options.life = journal::testing::life(++lives);
    ExecutorLogAccess log{
        [this](bool before, NoteVisitor& visitor, Found& found) {
          options.ran_before = before;
          auto made = Keeper::open(disk, options, visitor, found);
          if (made.ok()) keeper = std::move(*made);
          return made.status();
        },
        [this](const std::string& why) { return give_up_log(disk, options.log.name, why); }, &disk,
        options.log.owner};
    log.begin = [this](execution::Runner& runner) {
      ++begun;
      return import_genesis(genesis_disk, root, runner);
    };
    const auto genesis = wire::genesis_token(root, digester());
    auto result =
        open_executor(log, ran_before, digester(), genesis, [this]() -> execution::Runner& {
          replica = std::make_unique<Replica>();
          return replica->runner;
        });
    if (!result) return result.status();
    opened.emplace(std::move(*result));
    return keeper->keep(std::move(opened->opening_notes), Keeper::Until::kDurable);
  }
  void run_and_commit() {
    const BatchNumber number = replica->runner.resume().parts.number.next();
    for (const execution::Command& command :
         {execution::Command(execution::RunBatch{
              0,
              wire::make_batch(View(), number, time + 1 + static_cast<TimeUs>(number.value()), 7,
                               {open(0, number.value())}, digester()),
              {},
              {}}),
          execution::Command(execution::CommitBatches{number})}) {
      const auto events = replica->apply(command);
      auto recorded = opened->recorder->record(command, events);
      ASSERT_TRUE(recorded.ok());
      const auto first = keeper->end();
      ASSERT_TRUE(keeper->keep(std::exchange(recorded->notes, {}), Keeper::Until::kDurable).ok());
      recorded->tell(*opened->places, first, keeper->end());
    }
  }
  void take_checkpoint() {
    CheckpointOptions taking;
    taking.header = {options.log.owner, keeper->life(), wire::genesis_token(root, digester()), 0};
    taking.file.keep_free_bytes = 0;
    TimeUs now = 0;
    ExecutorCheckpoints checkpoints(disk, digester(), *opened->places, taking,
                                    [&now] { return now += 1'000'000; });
    checkpoints.taker().want();
    for (int i = 0; i < 1000 && checkpoints.taker().counts().taken == 0; ++i) {
      (void)checkpoints.taker().step(replica->runner, 0);
      (void)checkpoints.work(*keeper);
    }
    ASSERT_EQ(checkpoints.taker().counts().taken, 1u) << checkpoints.taker().counts().trouble;
    checkpoints.taker().stop();
  }

  testing::TestDisk genesis_disk;
  testing::TestDisk disk;
  crypto::Digest root;
  TimeUs time = 0;
  KeeperOptions options;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Keeper> keeper;
  std::optional<OpenedExecutor> opened;
  uint8_t lives = 0;
  bool ran_before = false;
  int begun = 0;
};

TEST_F(ExecutorGenesisTest, AFirstStartBeginsThere) {
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(replica->runner.root(), root);
  EXPECT_EQ(opened->genesis_time_us, time);
  EXPECT_FALSE(opened->recovered.has_value());
  EXPECT_FALSE(opened->restarted);
  EXPECT_EQ(begun, 1);
}

TEST_F(ExecutorGenesisTest, TheLogGoesOnFromThere) {
  ASSERT_TRUE(start().ok());
  run_and_commit();
  run_and_commit();
  const crypto::Digest after = replica->runner.root();
  ASSERT_NE(after, root);
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(replica->runner.root(), after);
  EXPECT_FALSE(opened->restarted) << opened->trouble;
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(2));
}

TEST_F(ExecutorGenesisTest, ACheckpointTakesItsPlace) {
  ASSERT_TRUE(start().ok());
  run_and_commit();
  take_checkpoint();
  const crypto::Digest after = replica->runner.root();
  begun = 0;
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->at_checkpoint);
  EXPECT_EQ(begun, 0);
  EXPECT_EQ(replica->runner.root(), after);
}

// Silent, as all that have lost their memory; and nobody's empty state stands for the genesis.
TEST_F(ExecutorGenesisTest, WhoLostItsLogBeginsThereAgain) {
  ASSERT_TRUE(start().ok());
  run_and_commit();
  opened.reset();
  for (const std::string& name : disk.names()) disk.lose(name);
  ran_before = true;
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_EQ(replica->runner.root(), root);
}

TEST_F(ExecutorGenesisTest, ALogThatIsSetAsideIsBegunAnewThere) {
  ASSERT_TRUE(start().ok());
  run_and_commit();
  ASSERT_TRUE(
      keeper->keep({note_of(execution::CommitBatches{BatchNumber(5)})}, Keeper::Until::kDurable)
          .ok());
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_EQ(replica->runner.root(), root);
}

TEST_F(ExecutorGenesisTest, WithoutItThereIsNoStart) {
  for (const std::string& name : genesis_disk.names()) genesis_disk.lose(name);
  EXPECT_FALSE(start().ok());
  ran_before = true;
  EXPECT_FALSE(start().ok());
}

}  // namespace
}  // namespace eve::durability
