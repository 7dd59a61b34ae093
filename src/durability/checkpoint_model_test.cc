// A node that runs batches, logs them, takes checkpoints and cuts its log, on a disk that fails,
// fills up and loses power anywhere: what was acknowledged is there again, whatever happened.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "durability/checkpoint_node_testing.h"

namespace eve::durability {
namespace {

using testing::Node;
using testing::Past;
using testing::TestDisk;

/// Starts nodes on the disk until one comes up.
std::unique_ptr<Node> next_life(TestDisk& disk, Past& past) {
  auto node = std::make_unique<Node>(disk, past);
  if (node->start()) return node;
  disk.permits = nullptr;
  disk.capacity = uint64_t{1} << 40;
  node = std::make_unique<Node>(disk, past);
  EXPECT_TRUE(node->start());
  return node;
}

struct Lives {
  uint64_t taken = 0;
  uint64_t failed = 0;
  uint64_t crashes = 0;
};

void live(uint64_t seed, int steps, Lives& lives) {
  Random random(seed);
  TestDisk disk(seed + 1);
  Past past;
  auto node = next_life(disk, past);
  for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
    bool fine = true;
    const uint64_t drawn = random.below(40);
    if (drawn < 8) fine = node->run(random);
    if (drawn >= 8 && drawn < 14) fine = node->flush();
    for (int turn = 0; drawn >= 14 && drawn < 38 && fine && turn < 4; ++turn) {
      if (random.chance(1, 2)) node->step();
      fine = node->work();
    }
    if (drawn == 38 && random.chance(1, 4)) {
      const uint64_t odds = random.below(30);
      disk.permits = [&random, odds](const std::string&) { return !random.chance(odds, 1000); };
    }
    if (drawn == 38 && random.chance(1, 8)) disk.capacity = disk.used() + random.below(30'000);
    const bool stops = drawn == 39 && random.chance(1, 6);
    if (fine && !stops) continue;
    lives.taken += node->taker().counts().taken;
    lives.failed += node->taker().counts().failed;
    node.reset();
    if (random.chance(1, 2)) disk.crash();
    ++lives.crashes;
    node = next_life(disk, past);
  }
  lives.taken += node->taker().counts().taken;
  lives.failed += node->taker().counts().failed;
}

TEST(CheckpointModel, WhatWasAcknowledgedIsThereAgain) {
  Lives lives;
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live(seed, 1200, lives);
  }
  EXPECT_GT(lives.taken, 200u);
  EXPECT_GT(lives.failed, 50u);
  EXPECT_GT(lives.crashes, 400u);
}

RC_GTEST_PROP(CheckpointModel, OfAnySeed, ()) {
  Lives lives;
  live(*rc::gen::arbitrary<uint64_t>(), 400, lives);
  RC_ASSERT(!::testing::Test::HasFailure());
}

/// Two checkpoints and batches in between; stops where the disk does.
void script(Node& node) {
  Random random(5);
  for (int checkpoint = 0; checkpoint < 2; ++checkpoint) {
    for (int i = 0; i < 10; ++i) {
      if (!node.run(random) || !node.flush()) return;
    }
    for (int i = 0; node.taken() <= checkpoint && i < 400; ++i) {
      node.step();
      if (!node.work()) return;
      if (i % 20 == 0 && (!node.run(random) || !node.flush())) return;
    }
  }
}

size_t operations_of_script() {
  TestDisk disk;
  Past past;
  const auto node = next_life(disk, past);
  script(*node);
  EXPECT_GE(node->taker().counts().taken, 2u);
  return disk.calls.size();
}

TEST(CheckpointModel, PowerMayFailAtEveryOperation) {
  const size_t operations = operations_of_script();
  ASSERT_GT(operations, 150u);
  for (size_t stop = 0; stop < operations && !HasFailure(); ++stop) {
    SCOPED_TRACE("operation " + std::to_string(stop));
    TestDisk disk(stop);
    disk.permits = [&](const std::string&) { return disk.calls.size() <= stop; };
    Past past;
    auto node = std::make_unique<Node>(disk, past);
    if (node->start()) script(*node);
    node.reset();
    disk.permits = nullptr;
    disk.crash();
    node = next_life(disk, past);
    ASSERT_TRUE(node->take_checkpoint());
  }
}

TEST(CheckpointModel, OneFailureAnywhereCostsTheCheckpointAtMost) {
  const size_t operations = operations_of_script();
  uint64_t failed = 0;
  for (size_t at = 0; at < operations && !HasFailure(); ++at) {
    SCOPED_TRACE("operation " + std::to_string(at));
    TestDisk disk(at);
    disk.permits = [&](const std::string& call) {
      // The log's own troubles are those of log_model_test.cc.
      return disk.calls.size() != at + 1 || call.find("check") == std::string::npos;
    };
    Past past;
    auto node = next_life(disk, past);
    script(*node);
    ASSERT_TRUE(node->take_checkpoint());
    EXPECT_GE(node->taker().counts().taken, 1u);
    failed += node->taker().counts().failed;
    node.reset();
    disk.crash();
    node = next_life(disk, past);
  }
  EXPECT_GT(failed, 100u);
}

TEST(CheckpointModel, OlderOnesAreGone) {
  TestDisk disk;
  Past past;
  auto node = next_life(disk, past);
  script(*node);
  ASSERT_TRUE(node->take_checkpoint());
  size_t whole = 0;
  for (const auto& name : disk.names()) {
    if (const auto parsed = parse_checkpoint_name(name)) {
      EXPECT_EQ(parsed->kind, journal::FileKind::kSegment) << name;
      ++whole;
    }
  }
  EXPECT_EQ(whole, 1u);
}

}  // namespace
}  // namespace eve::durability
