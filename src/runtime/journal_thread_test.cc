#include "runtime/journal_thread.h"

#include <gtest/gtest.h>

#include <atomic>

#include "journal/testing_disk.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using durability::Found;
using durability::Keeper;
using durability::Note;
using journal::Position;
using journal::testing::TestDisk;
using testing::eventually;
using Until = Keeper::Until;

struct Numbers : durability::NoteVisitor {
  Status note(Position, uint16_t, uint64_t number, ByteView) override {
    seen.push_back(number);
    return {};
  }
  std::vector<uint64_t> seen;
};

/// The disk is the thread's while there is one, but for these.
class JournalThreadTest : public ::testing::Test {
 protected:
  JournalThreadTest() {
    options.log = journal::testing::small_options();
    options.log.segment_bytes = uint64_t{1} << 20;
    thread_options.name = "verifier-0";
    thread_options.first_mend_us = 1'000;
    thread_options.last_mend_us = 4'000;
    thread_options.look_us = 3'600'000'000;
    disk.permits = [this](const std::string& call) {
      const bool sync = call.rfind("sync log", 0) == 0;
      while (sync && hold) std::this_thread::yield();
      syncs += sync ? 1 : 0;
      if (sync && losing.exchange(false)) {
        for (const std::string& name : disk.names()) disk.lose(name);
      }
      return !failing || !sync;
    };
    runner = std::thread([this] { loop.run(); });
  }
  ~JournalThreadTest() override {
    hold = false;
    journal.reset();
    loop.stop();
    runner.join();
  }
  std::vector<uint64_t> reopen() {
    journal.reset();
    Numbers numbers;
    Found found;
    auto keeper = Keeper::open(disk, options, numbers, found);
    EXPECT_TRUE(keeper.ok());
    EXPECT_TRUE(found.whole);
    if (keeper.ok()) {
      journal = std::make_unique<JournalThread>(loop, std::move(*keeper), thread_options);
    }
    return numbers.seen;
  }
  Position submit(uint64_t number, Until until = Until::kDurable) {
    return journal->submit({Note{1, number, "x"}}, until, [this, number] {
      std::lock_guard lock(mutex);
      EXPECT_EQ(std::this_thread::get_id(), runner.get_id());
      done.push_back(number);
    });
  }
  std::vector<uint64_t> all_done() {
    std::lock_guard lock(mutex);
    return done;
  }
  bool are_done(size_t count) {
    return eventually([&] { return all_done().size() >= count; });
  }
  static std::vector<uint64_t> up_to(uint64_t last) {
    std::vector<uint64_t> numbers;
    for (uint64_t i = 1; i <= last; ++i) numbers.push_back(i);
    return numbers;
  }

  TestDisk disk;
  std::atomic<bool> hold{false};  ///< syncs take until it is false
  std::atomic<bool> failing{false};
  std::atomic<bool> losing{false};  ///< at the next sync, all files
  std::atomic<int> syncs{0};
  durability::KeeperOptions options;
  JournalThreadOptions thread_options;
  EventLoop loop;
  std::thread runner;
  std::mutex mutex;
  std::vector<uint64_t> done;
  std::unique_ptr<JournalThread> journal;
};

TEST_F(JournalThreadTest, WhatIsDoneIsDurableAndInOrder) {
  reopen();
  for (uint64_t i = 1; i <= 200; ++i) EXPECT_EQ(submit(i), Position(i));
  ASSERT_TRUE(are_done(200));
  EXPECT_EQ(all_done(), up_to(200));
  const auto status = journal->status();
  EXPECT_EQ(status.notes, 200u);
  EXPECT_EQ(status.waiting_notes, 0u);
  EXPECT_EQ(status.waiting_bytes, 0u);
  EXPECT_EQ(status.oldest_wait_us, 0);
  EXPECT_GT(status.bytes, 0u);
  EXPECT_GT(status.syncs, 0u);
  journal.reset();
  disk.crash();
  EXPECT_EQ(reopen(), up_to(200));
}

TEST_F(JournalThreadTest, NothingIsDoneBeforeItIsDurableAndOneSyncKeepsAll) {
  reopen();
  hold = true;
  submit(1);
  ASSERT_TRUE(eventually([&] { return journal->status().oldest_wait_us > 0; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const int before = syncs;
  for (uint64_t i = 2; i <= 100; ++i) submit(i);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(all_done().empty());
  EXPECT_EQ(journal->status().waiting_notes, 100u);
  EXPECT_GT(journal->status().oldest_wait_us, 30'000);
  hold = false;
  ASSERT_TRUE(are_done(100));
  EXPECT_EQ(all_done(), up_to(100));
  EXPECT_LE(syncs, before + 2);
  EXPECT_GT(journal->status().longest_sync_us, 30'000);
}

TEST_F(JournalThreadTest, WhatNeedNotBeDurableDoesNotWaitForTheDiskButForItsTurn) {
  reopen();
  const int before = syncs;
  submit(1, Until::kLater);
  ASSERT_TRUE(are_done(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(syncs, before);
  hold = true;
  submit(2);
  submit(3, Until::kLater);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(all_done(), up_to(1));
  hold = false;
  ASSERT_TRUE(are_done(3));
  EXPECT_EQ(all_done(), up_to(3));
}

TEST_F(JournalThreadTest, WhatNeedNotBeDurableIsSoon) {
  thread_options.look_us = 10'000;
  reopen();
  const int before = syncs;
  submit(1, Until::kLater);
  EXPECT_TRUE(eventually([&] { return syncs > before; }));
  EXPECT_EQ(journal->status().space, journal::Space::kEnough);
}

TEST_F(JournalThreadTest, WorkInTheBackgroundGivesWayToNotes) {
  std::atomic<int> pieces{0};
  thread_options.background = [&](Keeper& keeper) {
    EXPECT_TRUE(keeper.all_durable()) << "a note waited";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return ++pieces % 1000 != 0;
  };
  reopen();
  submit(1);
  ASSERT_TRUE(are_done(1));
  EXPECT_EQ(pieces, 0) << "nobody has asked for it";
  journal->poke();
  ASSERT_TRUE(eventually([&] { return pieces > 5; }));
  for (uint64_t i = 2; i <= 50; ++i) {
    submit(i);
    ASSERT_TRUE(are_done(i));
  }
  EXPECT_LT(pieces, 1000) << "notes waited for all of it";
  ASSERT_TRUE(eventually([&] { return pieces == 1000; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(pieces, 1000) << "there was no more to do";
}

// During each sync another note comes.
TEST_F(JournalThreadTest, WorkInTheBackgroundIsDoneThoughNotesAlwaysWait) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kPieces = 10;
  std::atomic<size_t> pieces{0};
  std::atomic<bool> soon{false};
  Clock::time_point last;
  thread_options.background = [&](Keeper&) {
    const auto gave_way = std::chrono::microseconds(durability::kGiveWayUs);
    soon = soon || (pieces > 0 && Clock::now() - last < gave_way);
    last = Clock::now();
    return ++pieces < kPieces;
  };
  reopen();
  disk.permits = [&](const std::string& call) {
    if (!call.starts_with("sync log") || pieces == kPieces) return true;
    journal->submit({Note{1, 1, "x"}}, Until::kDurable, nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return true;
  };
  submit(1);
  ASSERT_TRUE(eventually([&] { return journal->status().syncs > 10; }));
  EXPECT_EQ(pieces, 0u);
  journal->poke();
  EXPECT_TRUE(eventually([&] { return pieces == kPieces; })) << pieces;
  EXPECT_FALSE(soon) << "notes had the disk for less time than they have to";
  pieces = kPieces;
}

TEST_F(JournalThreadTest, WhatTheBackgroundBreaksIsMended) {
  thread_options.background = [&](Keeper& keeper) {
    (void)keeper.keep({Note{1, 7, "x"}}, Until::kSynced);
    return false;
  };
  reopen();
  failing = true;
  journal->poke();
  ASSERT_TRUE(eventually([&] { return journal->status().errors > 0; }));
  failing = false;
  ASSERT_TRUE(eventually([&] { return journal->status().trouble.empty(); }));
  journal.reset();
  EXPECT_EQ(reopen(), std::vector<uint64_t>{7});
}

TEST_F(JournalThreadTest, AFailingDiskMakesEverythingWait) {
  reopen();
  failing = true;
  for (uint64_t i = 1; i <= 50; ++i) submit(i, i % 5 == 0 ? Until::kLater : Until::kDurable);
  ASSERT_TRUE(eventually([&] { return journal->status().errors > 3; }));
  for (uint64_t i = 51; i <= 100; ++i) submit(i);
  const auto status = journal->status();
  EXPECT_FALSE(status.trouble.empty());
  EXPECT_FALSE(status.broken);
  EXPECT_GE(status.waiting_notes, 96u);
  failing = false;
  ASSERT_TRUE(are_done(100));
  EXPECT_EQ(all_done(), up_to(100));
  EXPECT_TRUE(journal->status().trouble.empty());
  journal.reset();
  disk.crash();
  EXPECT_EQ(reopen(), up_to(100));
}

TEST_F(JournalThreadTest, ALogThatIsLostEndsIt) {
  std::atomic<bool> told{false};
  thread_options.on_broken = [&] { told = true; };
  reopen();
  submit(1);
  ASSERT_TRUE(are_done(1));
  failing = losing = true;
  submit(2);
  ASSERT_TRUE(eventually([&] { return told.load(); }));
  submit(3);
  journal->cut(Position(1));
  EXPECT_TRUE(journal->status().broken);
  EXPECT_FALSE(journal->status().trouble.empty());
  EXPECT_FALSE(journal->close().ok());
  EXPECT_EQ(all_done(), up_to(1));
}

TEST_F(JournalThreadTest, CloseKeepsWhatWasSubmitted) {
  reopen();
  for (uint64_t i = 1; i <= 20; ++i) submit(i, Until::kLater);
  EXPECT_TRUE(journal->close().ok());
  EXPECT_TRUE(are_done(20));
  journal.reset();
  disk.crash();
  EXPECT_EQ(reopen(), up_to(20));
}

TEST_F(JournalThreadTest, CloseTriesOnceMoreAndSaysWhatIsWrong) {
  thread_options.first_mend_us = thread_options.last_mend_us = 3'600'000'000;
  reopen();
  failing = true;
  submit(1);
  ASSERT_TRUE(eventually([&] { return !journal->status().trouble.empty(); }));
  submit(2);
  failing = false;
  EXPECT_TRUE(journal->close().ok());
  EXPECT_EQ(reopen(), up_to(2));
  failing = true;
  submit(3);
  EXPECT_FALSE(journal->close().ok());
}

TEST_F(JournalThreadTest, ACutComesAfterWhatWasSubmittedBeforeIt) {
  options.log.segment_bytes = 4 * journal::kBlockBytes;
  reopen();
  for (uint64_t i = 1; i <= 20; ++i) {
    submit(i);
    ASSERT_TRUE(are_done(i));
  }
  hold = true;
  submit(21);
  journal->cut(Position(21));
  submit(22);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  hold = false;
  ASSERT_TRUE(are_done(22));
  ASSERT_TRUE(journal->close().ok());
  const auto seen = reopen();
  EXPECT_LT(seen.size(), 10u);
  EXPECT_EQ(seen.back(), 22u);
}

// What need not be durable fails where so much waits that it is synced.
TEST_F(JournalThreadTest, WhatIsTriedAgainStaysInOrder) {
  reopen();
  int so_far = 0;
  disk.permits = [&](const std::string& call) {
    if (!call.starts_with("sync log")) return true;
    while (hold) std::this_thread::yield();
    return ++so_far != 2;
  };
  hold = true;
  submit(1);
  ASSERT_TRUE(eventually([&] { return journal->status().oldest_wait_us > 10'000; }));
  const auto is_done = [this](uint64_t number) {
    return [this, number] {
      std::lock_guard lock(mutex);
      done.push_back(number);
    };
  };
  journal->submit({Note{1, 2, Bytes(size_t{65} << 20, 'x')}}, Until::kLater, is_done(2));
  submit(3);
  journal->cut(Position(1));
  submit(4);
  submit(5);
  hold = false;
  ASSERT_TRUE(are_done(5));
  EXPECT_EQ(journal->status().errors, 1u);
  EXPECT_EQ(all_done(), up_to(5));
  ASSERT_TRUE(journal->close().ok());
  EXPECT_EQ(reopen(), up_to(5));
}

TEST_F(JournalThreadTest, SaysWhenTooMuchWaits) {
  thread_options.crowded_bytes = 10'000;
  reopen();
  EXPECT_FALSE(journal->crowded());
  hold = true;
  journal->submit({Note{1, 1, Bytes(10'000, 'x')}}, Until::kDurable, nullptr);
  EXPECT_TRUE(journal->crowded());
  hold = false;
  EXPECT_TRUE(eventually([&] { return !journal->crowded(); }));
}

TEST_F(JournalThreadTest, NothingIsDoneAfterItsEnd) {
  reopen();
  const auto stay = std::make_shared<std::atomic<bool>>(true);  // the loop may be late
  const auto begun = std::make_shared<std::atomic<bool>>(false);
  loop.post([stay, begun] {
    *begun = true;
    while (*stay) std::this_thread::yield();
  });
  EXPECT_TRUE(eventually([&] { return begun->load(); }));
  submit(1);
  EXPECT_TRUE(eventually([&] { return journal->status().notes == 1; }));
  journal.reset();
  *stay = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(all_done().empty());
}

}  // namespace
}  // namespace eve::runtime
