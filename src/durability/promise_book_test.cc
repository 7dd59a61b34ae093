#include "durability/promise_book.h"

#include <gtest/gtest.h>

#include "durability/promise_testing.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using testing::a_life;
using testing::all_of;
using testing::bytes_of;
using verification::Promise;
using verification::testing::digester;
using verification::testing::kGenesis;
using Until = Keeper::Until;

class PromiseBookTest : public ::testing::Test {
 protected:
  PromiseBookTest() {
    keeper_options.log = journal::testing::small_options();
    keeper_options.life = journal::testing::life(1);
    keeper_options.machine_start = "boot-1";
    keeper_options.marks_highest = true;
  }
  /// Another life. The error of begin() if there is one.
  Status start(Durability durability = Durability::kSync) {
    keeper.reset();
    options = {};
    book = std::make_unique<PromiseBook>("verifier-0", durability, kGenesis, digester(), begins);
    keeper_options.durability = PromiseBook::of_log(durability);
    auto opened = Keeper::open(disk, keeper_options, *book, found);
    EXPECT_TRUE(opened.ok());
    if (!opened) return opened.status();
    keeper = std::move(*opened);
    auto first = book->begin(found, options);
    if (!first) return first.status();
    return keeper->keep(std::move(*first), Until::kSynced);
  }
  void keep(std::vector<Promise> promises) {
    auto step = book->take(promises);
    EXPECT_TRUE(promises.empty());
    ASSERT_TRUE(keeper->keep(std::move(step.notes), step.until).ok());
  }
  Until needed(std::vector<Promise> promises) { return book->take(promises).until; }

  journal::testing::TestDisk disk;
  KeeperOptions keeper_options;
  Found found;
  std::unique_ptr<PromiseBook> book;
  std::unique_ptr<Keeper> keeper;
  verification::VerifierOptions options;
  BatchNumber begins;  ///< where the epoch does
};

TEST_F(PromiseBookTest, AFirstStartKnowsNothing) {
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(options.recovered);
  EXPECT_FALSE(options.lost_promises_at);
}

TEST_F(PromiseBookTest, GoesOnFromAllThatWasPromised) {
  ASSERT_TRUE(start().ok());
  keep(a_life());
  disk.crash();
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(options.recovered);
  EXPECT_FALSE(options.lost_promises_at);
  EXPECT_EQ(bytes_of(*options.recovered), bytes_of(all_of(a_life())));
}

// M12: what is not in an epoch's log is as it was when the epoch began.
TEST_F(PromiseBookTest, InALaterEpochItGoesOnFromWhereThatBegan) {
  begins = BatchNumber(40);
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(options.recovered) << "it has promised nothing in this epoch";
  EXPECT_FALSE(options.lost_promises_at);
  keep({verification::Stands{View(0), false}, testing::prepare(0, 41)});
  disk.crash();
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(options.recovered);
  EXPECT_EQ(options.recovered->last.number, begins);
  EXPECT_EQ(options.recovered->started.number, begins);
  EXPECT_EQ(options.recovered->proven.number, begins);
  EXPECT_EQ(options.recovered->prepares.size(), 1u);
  keep({testing::certificate(0, 41), testing::learnt(0, 41)});
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(options.recovered->last.number, BatchNumber(41));
}

// The simulator's, bft, storage damaged, seed 101: what spoils the end of the log takes the notes
// along that name the highest view.
TEST_F(PromiseBookTest, TheHighestViewOutlivesTheLogThatNamesIt) {
  ASSERT_TRUE(start().ok());
  keep(a_life());
  keep({testing::new_view(7, testing::certificate(2, 4))});
  keeper.reset();
  for (const std::string& name : disk.names()) {
    if (name.ends_with(".log")) disk.lose(name);
  }
  keeper_options.ran_before = true;
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(found.whole);
  EXPECT_FALSE(options.recovered);
  EXPECT_EQ(options.lost_promises_at, View(7));
}

TEST_F(PromiseBookTest, TheHighestViewIsMarkedBeforeTheLogHasIt) {
  ASSERT_TRUE(start().ok());
  keep({testing::prepare(0, 1)});
  std::vector<std::string> calls;
  disk.permits = [&calls](const std::string& call) {
    calls.push_back(call);
    return true;
  };
  keep({testing::new_view(7, testing::certificate(0, 1))});
  disk.permits = nullptr;
  const auto first = [&calls](const std::string& verb) {
    return std::find_if(calls.begin(), calls.end(),
                        [&](const std::string& call) { return call.starts_with(verb); }) -
           calls.begin();
  };
  const auto log = std::find_if(calls.begin(), calls.end(), [](const std::string& call) {
    return call.starts_with("sync ") && call.find(".highest") == std::string::npos;
  });
  ASSERT_NE(log, calls.end());
  EXPECT_LT(first("sync_names"), log - calls.begin());
  calls.clear();
  disk.permits = [&calls](const std::string& call) {
    calls.push_back(call);
    return true;
  };
  keep({testing::prepare(7, 3)});
  disk.permits = nullptr;
  EXPECT_EQ(first("rename"), static_cast<ptrdiff_t>(calls.size())) << "once a view";
}

TEST_F(PromiseBookTest, WhatBindsIsSyncedAndTheRestGoesAlong) {
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(needed({}), Until::kLater);
  EXPECT_EQ(needed({verification::Stands{View(0), false}}), Until::kSynced);
  EXPECT_EQ(needed({testing::learnt(0, 1)}), Until::kLater);
  EXPECT_EQ(needed({testing::learnt(0, 2), testing::prepare(0, 3)}), Until::kDurable);
  EXPECT_EQ(needed({testing::certificate(0, 3), testing::learnt(0, 3)}), Until::kDurable);
  EXPECT_EQ(needed({testing::prepare(0, 4), testing::new_view(1, testing::certificate(0, 3))}),
            Until::kSynced);
}

TEST_F(PromiseBookTest, InMemoryOnlyViewsAreKept) {
  ASSERT_TRUE(start(Durability::kMemory).ok());
  keep({verification::Stands{View(0), false}});
  std::vector<Promise> votes{testing::prepare(0, 1), testing::learnt(0, 1)};
  EXPECT_TRUE(book->take(votes).notes.empty());
  disk.crash();
  ASSERT_TRUE(start(Durability::kMemory).ok());
  EXPECT_EQ(options.lost_promises_at, View(0));
  keep({testing::new_view(2, testing::certificate(0, 3)), testing::prepare(2, 3)});
  disk.crash();
  ASSERT_TRUE(start(Durability::kMemory).ok());
  EXPECT_EQ(options.lost_promises_at, View(2));
  EXPECT_FALSE(options.recovered);
}

TEST_F(PromiseBookTest, WhoWasForgetfulOnceHasLostPromisesUntilItJoinsAView) {
  ASSERT_TRUE(start().ok());
  keep({verification::Stands{View(0), false}, testing::prepare(0, 1)});
  ASSERT_TRUE(start(Durability::kMemory).ok());
  EXPECT_TRUE(options.recovered);  // nothing is lost yet
  disk.crash();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(start().ok());
    EXPECT_FALSE(options.recovered) << "it may have voted";
    EXPECT_EQ(options.lost_promises_at, View(0));
  }
  keep({testing::new_view(1, testing::certificate(0, 3)), testing::prepare(1, 3)});
  ASSERT_TRUE(start().ok());
  ASSERT_TRUE(options.recovered);
  EXPECT_EQ(options.recovered->prepares.size(), 1u);
}

TEST_F(PromiseBookTest, AsyncLosesAllButViewsWithTheMachine) {
  keeper_options.log.segment_bytes = uint64_t{1} << 20;
  ASSERT_TRUE(start(Durability::kAsync).ok());
  keep({verification::Stands{View(0), false}});
  keep({testing::new_view(1, testing::certificate(0, 3))});
  keep({testing::prepare(1, 3)});
  ASSERT_TRUE(start(Durability::kAsync).ok());
  ASSERT_TRUE(options.recovered);
  EXPECT_EQ(options.recovered->prepares.size(), 1u);
  keep({testing::new_view(2, testing::certificate(0, 3))});
  keep({testing::prepare(2, 3)});
  disk.crash();
  keeper_options.machine_start = "boot-2";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(start(Durability::kAsync).ok());
    EXPECT_FALSE(options.recovered);
    EXPECT_EQ(options.lost_promises_at, View(2));
  }
  keep({testing::new_view(3, testing::certificate(0, 3))});
  ASSERT_TRUE(start(Durability::kAsync).ok());
  EXPECT_TRUE(options.recovered) << "what was lost is made up for";
}

TEST_F(PromiseBookTest, DamageIsALossUpToTheHighestViewThatIsLeft) {
  ASSERT_TRUE(start().ok());
  keep({verification::Stands{View(0), false}});
  keep({testing::new_view(1, testing::certificate(0, 3))});
  keep({testing::new_view(6, testing::certificate(0, 3))});
  keep({testing::prepare(6, 3)});
  disk.flip(disk.names().front(), 3 * journal::kBlockBytes + 140);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(start().ok());
    EXPECT_FALSE(found.whole);
    EXPECT_EQ(options.lost_promises_at, View(6)) << "its PREPARE says so";
  }
  keep({testing::new_view(7, testing::certificate(0, 3))});
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_TRUE(found.whole);
  EXPECT_TRUE(options.recovered);
}

// The simulator's, crash, storage damaged, seed 7017523: the last notes of the log are lost, and
// the mark cannot be read; what is left names an older view than the one in which it had voted
// last.
TEST_F(PromiseBookTest, WhatIsLeftOfALogIsNoBoundWithoutTheMark) {
  ASSERT_TRUE(start().ok());
  keep({testing::new_view(1, testing::certificate(0, 3))});
  keep({testing::new_view(6, testing::certificate(0, 3))});
  disk.flip(keeper_options.log.name + ".highest", 3);
  disk.flip(disk.names().front(), 2 * journal::kBlockBytes + 140);
  for (int i = 0; i < 2; ++i) {
    const auto status = start();
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.message().find("must not vote"), std::string::npos) << status.message();
  }
}

TEST_F(PromiseBookTest, AMarkThatCannotBeReadIsWrittenAgainBesideAWholeLog) {
  ASSERT_TRUE(start().ok());
  keep({testing::new_view(6, testing::certificate(0, 3))});
  for (const bool removed : {false, true}) {
    keeper.reset();
    if (removed) {
      disk.lose(keeper_options.log.name + ".highest");
    } else {
      disk.flip(keeper_options.log.name + ".highest", 3);
    }
    ASSERT_TRUE(start().ok());
    EXPECT_TRUE(found.whole);
  }
  disk.flip(disk.names().front(), journal::kBlockBytes + 140);
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(found.whole);
  EXPECT_EQ(options.lost_promises_at, View(6));
}

TEST_F(PromiseBookTest, WhoseLogIsLostMustNotRun) {
  keeper_options.ran_before = true;
  const auto status = start();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("eve member replace"), std::string::npos) << status.message();
  EXPECT_FALSE(start().ok()) << "nor later";
}

TEST_F(PromiseBookTest, TheLogStaysShortAndNothingIsLost) {
  keeper_options.log.segment_bytes = uint64_t{1} << 20;
  ASSERT_TRUE(start().ok());
  keep(a_life());
  keep({testing::new_view(4, testing::certificate(2, 4)), testing::prepare(4, 4)});
  uint64_t times = 0;
  for (uint64_t number = 5; number < 5'000; ++number) {
    keep({testing::prepare(4, number), testing::learnt(4, number)});
    const auto all = book->shorten();
    if (!all) continue;
    ++times;
    const auto position = keeper->end();
    ASSERT_TRUE(keeper->keep({*all}, Until::kSynced).ok());
    ASSERT_TRUE(keeper->cut(position).ok());
  }
  EXPECT_GE(times, 3u);
  EXPECT_LT(disk.used(), uint64_t{8} << 20);
  const Bytes before = bytes_of(book->all());
  disk.crash();
  ASSERT_TRUE(start().ok());
  EXPECT_GT(found.begin, journal::Position(1000));
  ASSERT_TRUE(options.recovered);
  EXPECT_EQ(bytes_of(*options.recovered), before);
}

}  // namespace
}  // namespace eve::durability
