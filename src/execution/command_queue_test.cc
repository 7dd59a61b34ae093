#include "execution/command_queue.h"

#include <gtest/gtest.h>

#include <string>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

class Waiting : public ::testing::Test {
 protected:
  void run(uint64_t number, uint64_t generation = 0) {
    queue.push(RunBatch{generation, batch(0, number, {}).batch});
  }
  void commit(uint64_t number) { queue.push(CommitBatches{BatchNumber(number)}); }
  void back_to(uint64_t number) { queue.push(RollbackTo{BatchNumber(number)}); }
  void fetch(uint64_t number) {
    StartFetch start;
    start.parts.number = BatchNumber(number);
    queue.push(start);
  }
  /// Empties the queue: r5 runs batch 5, c commits, b goes back, f fetches.
  std::string taken() {
    std::string text;
    while (!queue.empty()) {
      const Command command = queue.pop();
      if (const auto* run = std::get_if<RunBatch>(&command)) {
        text += 'r' + std::to_string(run->batch->number.value()) + ' ';
      } else if (const auto* commit = std::get_if<CommitBatches>(&command)) {
        text += 'c' + std::to_string(commit->number.value()) + ' ';
      } else if (const auto* back = std::get_if<RollbackTo>(&command)) {
        text += 'b' + std::to_string(back->number.value()) + ' ';
      } else if (std::holds_alternative<StartFetch>(command)) {
        text += "f ";
      }
    }
    return text;
  }

  CommandQueue queue;
};

TEST_F(Waiting, AnEpochBeginsAtWhatIsCommittedByThen) {
  run(5);
  commit(5);
  run(6);
  queue.push(BeginEpoch{Epoch(1)});
  EXPECT_EQ(taken(), "r5 c5 ");
}

TEST_F(Waiting, InTheOrderInWhichTheyCame) {
  run(5);
  run(6);
  commit(5);
  run(7);
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(taken(), "r5 r6 c5 r7 ");
}

// Found by the simulator (bft, seeds 1003459 and 1017665): runs of views long gone kept executors
// from the batch of this one, so that each view ended before anybody had run anything.
TEST_F(Waiting, WhatARollbackUndoesDoesNotRun) {
  run(5);
  run(6);
  run(7);
  back_to(5);
  run(6, 1);
  EXPECT_EQ(taken(), "r5 b5 r6 ");
}

TEST_F(Waiting, OneViewAfterTheOtherLeavesOneRun) {
  for (uint64_t view = 1; view <= 10; ++view) {
    back_to(4);
    run(5, view);
  }
  EXPECT_EQ(taken(), "b4 b4 b4 b4 b4 b4 b4 b4 b4 b4 r5 ");
}

TEST_F(Waiting, AFetchUndoesWhatIsNotCommittedByThen) {
  run(5);
  commit(5);
  run(6);
  fetch(9);
  EXPECT_EQ(taken(), "r5 c5 f ");
  run(6);
  fetch(9);
  EXPECT_EQ(taken(), "f ") << "what is committed has left the queue";
}

}  // namespace
}  // namespace eve::execution::executor_testing
