#include "sim/note_journal.h"

#include <gtest/gtest.h>

#include "sim/event_queue.h"

namespace eve::sim {
namespace {

using durability::Found;
using durability::Keeper;
using journal::Position;
using Until = Keeper::Until;

struct Numbers : durability::NoteVisitor {
  Status note(Position, uint16_t, uint64_t number, ByteView) override {
    seen.push_back(number);
    return {};
  }
  std::vector<uint64_t> seen;
};

/// A process with a journal that dies now and then.
class Node {
 public:
  explicit Node(uint64_t seed, const DiskPlan& plan = {})
      : random(seed), disk(plan, seed + 1), journal(disk, options(), seed + 2, runner()) {}

  static durability::KeeperOptions options() {
    durability::KeeperOptions options;
    options.log.segment_bytes = 8 * journal::kBlockBytes;
    options.log.extend_bytes = 0;
    options.log.reserve_bytes = 0;
    options.log.low_bytes = 0;
    return options;
  }
  NoteJournal::Later runner() {
    return [this](TimeUs delay, std::function<void()> action) {
      queue.after(delay, [this, of = life, act = std::move(action)] {
        if (of == life) act();
      });
    };
  }
  void start() {
    ++life;
    Found found;
    Numbers numbers;
    for (int i = 0;; ++i) {
      numbers = {};
      const auto status = journal.open(life > 1, numbers, found);
      if (status.ok()) break;
      ASSERT_LT(i, 100) << status.message();
    }
    ASSERT_TRUE(found.whole) << found.trouble;
    seen = numbers.seen;
    // A prefix of what was submitted, with all that was done.
    ASSERT_GE(seen.size(), done);
    ASSERT_LE(seen.size(), submitted.size());
    ASSERT_TRUE(std::equal(seen.begin(), seen.end(), submitted.begin()));
    submitted = seen;
    done = submitted.size();
  }
  void submit(uint64_t number, Until until = Until::kDurable) {
    submitted.push_back(number);
    const size_t index = submitted.size();
    journal.submit({{1, number, "x"}}, until, [this, index, until] {
      EXPECT_LT(last_done, index);
      last_done = index;
      if (until == Until::kDurable) done = index;
    });
  }
  void end(NoteJournal::How how) {
    journal.end(how);
    ++life;
    last_done = 0;
  }
  void run_for(TimeUs time) {
    queue.run_until(queue.now() + time, [] { return false; });
  }

  Random random;
  EventQueue queue;
  VirtualDisk disk;
  NoteJournal journal;
  uint64_t life = 0;
  std::vector<uint64_t> submitted;
  std::vector<uint64_t> seen;
  size_t done = 0;  ///< of those: must be there
  size_t last_done = 0;
};

TEST(NoteJournal, NothingIsDoneBeforeItIsDurable) {
  Node node(1);
  node.start();
  node.submit(1);
  node.submit(2);
  EXPECT_EQ(node.done, 0u);
  node.run_for(10'000);
  EXPECT_EQ(node.done, 2u);
  EXPECT_EQ(node.journal.syncs(), 1u);
  EXPECT_TRUE(node.journal.at_rest());
  node.end(NoteJournal::How::kMachine);
  node.start();
  EXPECT_EQ(node.seen.size(), 2u);
}

TEST(NoteJournal, WhatNeedNotBeDurableTakesItsTurn) {
  Node node(1);
  node.start();
  node.submit(1, Until::kLater);
  EXPECT_EQ(node.last_done, 1u);
  node.submit(2);
  node.submit(3, Until::kLater);
  EXPECT_EQ(node.last_done, 1u);
  node.run_for(10'000);
  EXPECT_EQ(node.last_done, 3u);
}

TEST(NoteJournal, AFailingDiskMakesEverythingWait) {
  Node node(1);
  node.start();
  node.disk.inject(DiskFault::kSyncFails, 1);
  node.submit(1);
  node.run_for(50'000);
  node.submit(2);
  EXPECT_EQ(node.done, 0u);
  node.run_for(500'000);
  EXPECT_EQ(node.done, 2u);
  EXPECT_EQ(node.journal.mended(), 1u);
}

TEST(NoteJournal, WorkInTheBackgroundIsDoneThoughNotesAlwaysWait) {
  Node node(1);
  node.start();
  std::vector<TimeUs> pieces;
  node.journal.set_background([&](Keeper&) {
    pieces.push_back(node.queue.now());
    return pieces.size() < 10;
  });
  const std::function<void()> go_on = [&] {
    node.journal.submit({{1, 1, "x"}}, Until::kDurable, go_on);
    node.journal.submit({{1, 2, "x"}}, Until::kDurable, nullptr);
  };
  go_on();
  node.journal.poke();
  node.run_for(2'000'000);
  ASSERT_EQ(pieces.size(), 10u);
  for (size_t i = 1; i < pieces.size(); ++i) {
    EXPECT_GE(pieces[i] - pieces[i - 1], durability::kGiveWayUs) << "notes have to wait";
  }
  const uint64_t syncs = node.journal.syncs();
  node.run_for(100'000);
  EXPECT_EQ(pieces.size(), 10u) << "there was no more to do";
  EXPECT_GT(node.journal.syncs(), syncs);
}

TEST(NoteJournal, RandomLives) {
  uint64_t mended = 0;
  uint64_t interrupted = 0;
  uint64_t more = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    auto plan = DiskPlan::draw(random, DiskScope::kContract);
    plan[DiskFault::kSyncFails] = random.chance(1, 2) ? 100'000 : 0;
    plan[DiskFault::kReadFails] = 0;  // reads as damage when the log is opened
    Node node(seed, plan);
    node.start();
    for (uint64_t i = 1; i < 80 && !::testing::Test::HasFailure(); ++i) {
      for (uint64_t n = random.below(3); n > 0; --n) {
        node.submit(1000 * i + n, random.chance(1, 3) ? Until::kLater : Until::kDurable);
      }
      node.run_for(static_cast<TimeUs>(random.below(600)));
      if (random.chance(1, 40)) node.run_for(2'000'000);
      if (!random.chance(1, 8)) continue;
      const size_t done = node.done;
      node.end(random.chance(1, 2) ? NoteJournal::How::kMachine : NoteJournal::How::kProcess);
      node.start();
      more += node.seen.size() > done ? 1 : 0;
    }
    mended += node.journal.mended();
    interrupted += node.journal.interrupted();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(mended, 20u);
  EXPECT_GT(interrupted, 100u);
  EXPECT_GT(more, 50u);
}

}  // namespace
}  // namespace eve::sim
