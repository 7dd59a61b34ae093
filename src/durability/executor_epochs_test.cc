// An executor's log through the epochs of its cluster (docs/durability.md, X6).
#include <gtest/gtest.h>

#include "durability/executor_checkpoints.h"
#include "durability/executor_log.h"
#include "execution/runner_testing.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using execution::testing::digester;
using execution::testing::open;
using execution::testing::Replica;

class ExecutorEpochsTest : public ::testing::Test {
 protected:
  ExecutorEpochsTest() {
    options.log = journal::testing::small_options();
    options.machine_start = "one";
  }

  /// The next process, whose links lead to epoch `present`.
  Status start() {
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
    const auto make_runner = [this]() -> execution::Runner& {
      replica = std::make_unique<Replica>();
      return replica->runner;
    };
    auto result =
        open_executor(log, ran_before, digester(), genesis, make_runner, {present, {}, {}});
    if (!result) return result.status();
    opened.emplace(std::move(*result));
    opening_notes = opened->opening_notes;
    CheckpointOptions taking;
    taking.header = {options.log.owner, keeper->life(), genesis, 0};
    taking.file.keep_free_bytes = 0;
    checkpoints = std::make_unique<ExecutorCheckpoints>(disk, digester(), *opened->places, taking,
                                                        [this] { return now += 1'000'000; });
    return keeper->keep(std::move(opened->opening_notes), Keeper::Until::kDurable);
  }
  /// As its host does it when the link is kept; unless it is killed before.
  void enter_epoch() {
    present = present.next();
    apply(execution::BeginEpoch{present});
  }
  void run() {
    const uint64_t last = replica->runner.resume().parts.number.value();
    const auto batch =
        wire::make_batch(View(), BatchNumber(last + 1), static_cast<TimeUs>(1'000'000 + last), 7,
                         {open(0, ++nonce)}, digester());
    apply(execution::RunBatch{0, batch, {}, {}});
  }
  void commit() {
    committed = replica->runner.resume().parts.number;
    apply(execution::CommitBatches{committed});
  }
  void apply(const execution::Command& command) {
    const auto events = replica->apply(command);
    auto recorded = opened->recorder->record(command, events);
    ASSERT_TRUE(recorded.ok());
    keep(std::move(*recorded));
  }
  void keep(Recorded recorded) {
    const auto first = keeper->end();
    ASSERT_TRUE(keeper->keep(std::exchange(recorded.notes, {}), recorded.until).ok());
    recorded.tell(*opened->places, first, keeper->end());
  }
  bool take_checkpoint() {
    checkpoints->taker().want();
    for (int i = 0; i < 1000 && checkpoints->taker().counts().taken == 0; ++i) {
      (void)checkpoints->taker().step(replica->runner, 0);
      (void)checkpoints->work(*keeper);
    }
    return checkpoints->taker().counts().taken > 0;
  }
  bool ends_with_epoch(uint32_t epoch) const {
    return !opening_notes.empty() && opening_notes.back().kind == 9 &&
           opening_notes.back().number == epoch;
  }
  bool names_an_epoch() const {
    for (const Note& note : opening_notes) {
      if (note.kind == 9) return true;
    }
    return false;
  }
  BatchNumber stands_at() const { return replica->runner.resume().parts.number; }

  const crypto::Digest genesis = wire::genesis_token(Replica().runner.empty_root(), digester());
  journal::testing::TestDisk disk;
  KeeperOptions options;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Keeper> keeper;
  std::optional<OpenedExecutor> opened;
  std::vector<Note> opening_notes;
  std::unique_ptr<ExecutorCheckpoints> checkpoints;
  Epoch present;
  BatchNumber committed;
  TimeUs now = 0;
  uint8_t lives = 0;
  uint64_t nonce = 100;
  bool ran_before = false;
};

TEST_F(ExecutorEpochsTest, AFirstStartInALaterEpochBeginsIt) {
  present = Epoch(2);
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->recovered.has_value());
  EXPECT_FALSE(opened->restarted);
  ASSERT_TRUE(opened->begins.has_value());
  EXPECT_EQ(opened->begins->parts.number, BatchNumber());
  EXPECT_EQ(opened->begins->token, genesis);
  EXPECT_TRUE(ends_with_epoch(2));
}

TEST_F(ExecutorEpochsTest, ALogOfThePresentEpochIsGoneOnWith) {
  ASSERT_TRUE(start().ok());
  run();
  commit();
  enter_epoch();
  run();
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->begins.has_value());
  EXPECT_FALSE(opened->restarted);
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(1));
  EXPECT_EQ(opened->recovered->above.size(), 1u);
  EXPECT_EQ(opened->recovered->said.size(), 1u);
  EXPECT_FALSE(names_an_epoch());
}

// Link kept, and nothing of its epoch: what had run and was not committed is gone.
TEST_F(ExecutorEpochsTest, ALogOfAnEarlierEpochIsWhereTheNextOneBegins) {
  ASSERT_TRUE(start().ok());
  apply(execution::EnterView{View(3), BatchNumber(), {}});
  run();
  commit();
  const crypto::Digest root = replica->runner.root();
  run();
  disk.crash();
  present = Epoch(2);
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->recovered.has_value());
  EXPECT_FALSE(opened->restarted);
  ASSERT_TRUE(opened->begins.has_value());
  EXPECT_EQ(opened->begins->parts.number, BatchNumber(1));
  EXPECT_EQ(stands_at(), BatchNumber(1));
  EXPECT_EQ(replica->runner.root(), root);
  EXPECT_TRUE(ends_with_epoch(2));
  // Another process finds an executor that may have spoken in the epoch.
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->begins.has_value());
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_EQ(opened->recovered->view, View(0)) << "the view of an epoch that is over";
  EXPECT_TRUE(opened->recovered->said.empty());
  EXPECT_TRUE(opened->recovered->above.empty());
}

TEST_F(ExecutorEpochsTest, ALogOfALaterEpochIsLeftAlone) {
  ASSERT_TRUE(start().ok());
  run();
  commit();
  enter_epoch();
  enter_epoch();
  present = Epoch(1);
  const auto status = start();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("the links that are kept here lead to epoch 1"),
            std::string::npos);
  for (const std::string& name : disk.names()) EXPECT_FALSE(name.ends_with(".damaged"));
  present = Epoch(2);
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(opened->restarted);
  EXPECT_EQ(stands_at(), BatchNumber(1));
}

TEST_F(ExecutorEpochsTest, ACheckpointOfALaterEpochIsLeftAlone) {
  ASSERT_TRUE(start().ok());
  enter_epoch();
  for (int i = 0; i < 60; ++i) {
    run();
    commit();
  }
  ASSERT_TRUE(take_checkpoint());
  present = Epoch(0);
  EXPECT_FALSE(start().ok());
  for (const std::string& name : disk.names()) EXPECT_FALSE(name.ends_with(".damaged"));
  present = Epoch(1);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->at_checkpoint);
  EXPECT_EQ(stands_at(), BatchNumber(60));
}

// The note of the epoch is cut away with what lies before the checkpoint.
TEST_F(ExecutorEpochsTest, ACheckpointKnowsItsEpoch) {
  ASSERT_TRUE(start().ok());
  apply(execution::EnterView{View(3), BatchNumber(), {}});
  present = Epoch(1);
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(opened->begins.has_value());
  for (int i = 0; i < 60; ++i) {
    run();
    commit();
  }
  ASSERT_TRUE(take_checkpoint());
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->at_checkpoint);
  EXPECT_FALSE(opened->begins.has_value()) << "it would speak twice";
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_EQ(opened->recovered->view, View(0));
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(60));
  present = Epoch(2);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->begins.has_value());
  EXPECT_TRUE(ends_with_epoch(2));
}

TEST_F(ExecutorEpochsTest, ALostMemoryIsSilentInThePresentEpoch) {
  ASSERT_TRUE(start().ok());
  enter_epoch();
  run();
  opened.reset();
  for (const std::string& name : disk.names()) disk.lose(name);
  ran_before = true;
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_FALSE(opened->begins.has_value());
  EXPECT_TRUE(ends_with_epoch(1));
  // And that goes on until it says otherwise, or the epoch is over.
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_FALSE(names_an_epoch());
}

// Of a log that lacks its end it is not known which epochs it had entered.
TEST_F(ExecutorEpochsTest, ALogThatIsNotWholeBeginsNoEpoch) {
  options.durability = Durability::kAsync;
  ASSERT_TRUE(start().ok());
  apply(execution::EnterView{View(3), BatchNumber(), {}});
  run();
  commit();
  ASSERT_TRUE(keeper->keep({}, Keeper::Until::kSynced).ok());
  run();
  disk.crash();
  options.machine_start = "two";
  present = Epoch(1);
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(opened->restarted);
  EXPECT_FALSE(opened->begins.has_value());
  ASSERT_TRUE(opened->recovered.has_value());
  EXPECT_EQ(opened->recovered->committed.parts.number, BatchNumber(1));
  EXPECT_EQ(opened->recovered->view, View(0));
  EXPECT_TRUE(ends_with_epoch(1));
}

}  // namespace
}  // namespace eve::durability
