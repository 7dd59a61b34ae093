#include "durability/keeper.h"

#include <gtest/gtest.h>

#include "journal/log_reader.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using journal::Position;
using journal::testing::TestDisk;
using Until = Keeper::Until;

struct Seen : NoteVisitor {
  Status note(Position position, uint16_t kind, uint64_t number, ByteView payload) override {
    if (refuses) return Error{"the owner cannot read this"};
    positions.push_back(position);
    texts.push_back(std::to_string(kind) + ':' + std::to_string(number) + ':' + Bytes(payload));
    return {};
  }
  void stray(uint16_t, uint64_t number, ByteView) override { strays.push_back(number); }
  std::vector<Position> positions;
  std::vector<std::string> texts;
  std::vector<uint64_t> strays;
  bool refuses = false;
};

Note note(uint64_t number, Bytes payload = "x") {
  return {1, number, std::move(payload)};
}
std::string text(uint64_t number) {
  return "1:" + std::to_string(number) + ":x";
}
std::vector<std::string> texts(uint64_t first, uint64_t last) {
  std::vector<std::string> all;
  for (uint64_t i = first; i <= last; ++i) all.push_back(text(i));
  return all;
}

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() {
    options.log = journal::testing::small_options();
    options.life = journal::testing::life(1);
    options.machine_start = "boot-1";
  }
  Status try_open() {
    keeper.reset();
    seen = {};
    auto opened = Keeper::open(disk, options, seen, found);
    if (!opened) return opened.status();
    keeper = std::move(*opened);
    return {};
  }
  void open() {
    const auto status = try_open();
    ASSERT_TRUE(status.ok()) << status.message();
  }
  void keep(uint64_t number, Until until = Until::kDurable) {
    ASSERT_TRUE(keeper->keep({note(number)}, until).ok());
  }
  void keep_some(uint64_t first, uint64_t last) {
    for (uint64_t i = first; i <= last; ++i) keep(i);
  }
  void fail(const std::string& verb) {
    disk.permits = [verb](const std::string& call) { return call.rfind(verb, 0) != 0; };
  }
  Status mend() {
    fatal = false;
    return keeper->mend(fatal);
  }
  /// As long as disks may fail to read, and longer.
  void expect_fatal() {
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(mend().ok());
    EXPECT_TRUE(fatal);
    EXPECT_FALSE(mend().ok());
    EXPECT_TRUE(fatal);
    EXPECT_FALSE(keeper->state().ok());
  }
  std::string newest() const {
    std::string last;
    for (const std::string& name : disk.names()) {
      const auto parsed = journal::parse_name("log", name);
      if (parsed && parsed->kind == journal::FileKind::kSegment) last = std::max(last, name);
    }
    return last;
  }

  TestDisk disk;
  KeeperOptions options;
  std::unique_ptr<Keeper> keeper;
  Seen seen;
  Found found;
  bool fatal = false;
};

// ---- D1, D2, D4 --------------------------------------------------------------------------------

TEST_F(KeeperTest, WhatIsKeptIsVisitedInOrder) {
  open();
  EXPECT_TRUE(found.first_start);
  EXPECT_TRUE(found.whole);
  EXPECT_EQ(keeper->end(), Position(1));
  ASSERT_TRUE(keeper->keep({note(1), note(2)}, Until::kDurable).ok());
  keep(3);
  EXPECT_EQ(keeper->end(), Position(4));
  disk.crash();
  open();
  EXPECT_FALSE(found.first_start);
  EXPECT_TRUE(found.whole) << found.trouble;
  EXPECT_EQ(seen.texts, texts(1, 3));
  EXPECT_EQ(seen.positions, (std::vector<Position>{Position(1), Position(2), Position(3)}));
  EXPECT_EQ(keeper->end(), Position(4));
  EXPECT_EQ(found.opened, 2u);
}

TEST_F(KeeperTest, WhatWaitsForLaterIsSyncedWithTheNextThatMustBe) {
  open();
  const size_t syncs = disk.count("sync log");
  keep(1, Until::kLater);
  keep(2, Until::kLater);
  EXPECT_EQ(disk.count("sync log"), syncs);
  keep(3);
  EXPECT_EQ(disk.count("sync log"), syncs + 1);
  disk.crash();
  open();
  EXPECT_EQ(seen.texts, texts(1, 3));
}

TEST_F(KeeperTest, WhatWaitsForLaterIsSyncedWhenSettled) {
  open();
  keep(1, Until::kLater);
  ASSERT_TRUE(keeper->settle().ok());
  disk.crash();
  open();
  EXPECT_EQ(seen.texts, texts(1, 1));
}

TEST_F(KeeperTest, WhatWaitsIsBoundedHoweverLateItMayBe) {
  options.log.segment_bytes = uint64_t{256} << 20;
  open();
  const size_t syncs = disk.count("sync log");
  const Bytes large(size_t{20} << 20, 'x');
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(keeper->keep({note(i, large)}, Until::kLater).ok());
  }
  EXPECT_EQ(disk.count("sync log"), syncs + 1);
  ASSERT_TRUE(keeper->keep({note(9)}, Until::kLater).ok());
  EXPECT_EQ(disk.count("sync log"), syncs + 1);  // and counts from nothing again
  const std::vector<Note> many(16, note(7, large));
  ASSERT_TRUE(keeper->keep(many, Until::kDurable).ok());  // more than a writer buffers
  disk.crash();
  open();
  EXPECT_EQ(seen.texts.size(), 4u + 1u + 16u);
}

TEST_F(KeeperTest, AnOwnersErrorEndsTheOpening) {
  open();
  keep(1);
  keeper.reset();
  seen.refuses = true;
  EXPECT_FALSE(Keeper::open(disk, options, seen, found).ok());
}

TEST_F(KeeperTest, AnothersLogIsNotOpened) {
  open();
  keep(1);
  options.log.owner.node = "another";
  EXPECT_FALSE(try_open().ok());
  EXPECT_EQ(disk.count("rename log-2"), 0u);
}

// ---- mend() ------------------------------------------------------------------------------------

TEST_F(KeeperTest, AfterAnErrorNothingIsLostNorAcknowledged) {
  open();
  keep(1);
  keep(2, Until::kLater);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(3)}, Until::kDurable).ok());
  EXPECT_FALSE(keeper->keep({note(4)}, Until::kDurable).ok());
  EXPECT_FALSE(keeper->state().ok());
  EXPECT_FALSE(mend().ok());
  EXPECT_FALSE(fatal);
  EXPECT_FALSE(keeper->keep({note(5)}, Until::kLater).ok());
  EXPECT_EQ(keeper->end(), Position(6));
  EXPECT_FALSE(keeper->cut(Position(1)).ok());
  EXPECT_FALSE(keeper->settle().ok());
  EXPECT_FALSE(keeper->close().ok());
  EXPECT_FALSE(keeper->check_space().ok());
  disk.permits = nullptr;
  ASSERT_TRUE(mend().ok());
  EXPECT_TRUE(keeper->state().ok());
  EXPECT_EQ(keeper->end(), Position(6));
  keep(6);
  disk.crash();
  open();
  EXPECT_EQ(seen.texts, texts(1, 6));
  EXPECT_TRUE(found.whole);
}

TEST_F(KeeperTest, MendDoesNothingWhereNothingIsWrong) {
  open();
  keep(1);
  const size_t calls = disk.calls.size();
  EXPECT_TRUE(mend().ok());
  EXPECT_EQ(disk.calls.size(), calls);
}

TEST_F(KeeperTest, WhatReachedTheDiskAfterAllIsNotWrittenTwice) {
  open();
  keep(1);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(2), note(3)}, Until::kDurable).ok());
  disk.permits = nullptr;
  ASSERT_TRUE(mend().ok());
  keep(4);
  open();
  EXPECT_EQ(seen.texts, texts(1, 4));
}

TEST_F(KeeperTest, ALogThatIsDamagedWhenItIsMendedStaysBroken) {
  open();
  keep_some(1, 3);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(4)}, Until::kDurable).ok());
  disk.permits = nullptr;
  disk.flip(newest(), 2 * journal::kBlockBytes + 140);
  expect_fatal();
}

TEST_F(KeeperTest, ALogThatIsGoneWhenItIsMendedStaysBroken) {
  open();
  keep(1);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(2)}, Until::kDurable).ok());
  disk.permits = nullptr;
  for (const std::string& name : disk.names()) disk.lose(name);
  expect_fatal();
}

TEST_F(KeeperTest, AnOlderLogInItsPlaceIsNotMended) {
  open();
  keep(1);
  const Bytes old = disk.content(newest());
  keep_some(2, 3);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(4)}, Until::kDurable).ok());
  disk.permits = nullptr;
  disk.put_file(newest(), old);
  expect_fatal();
}

TEST_F(KeeperTest, ADiskThatCannotBeReadForAMomentIsNotDamage) {
  open();
  keep(1);
  fail("sync log");
  EXPECT_FALSE(keeper->keep({note(2)}, Until::kDurable).ok());
  disk.permits = nullptr;
  disk.unreadable.insert(newest());
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(mend().ok());
    EXPECT_FALSE(fatal);
  }
  disk.unreadable.clear();
  ASSERT_TRUE(mend().ok());
  open();
  EXPECT_EQ(seen.texts, texts(1, 2));
}

/// Every call that a short life makes fails once, alone or with all after it until the mending.
TEST_F(KeeperTest, EveryErrorOfTheDiskIsMended) {
  size_t failures = 0;
  bool struck = true;
  for (size_t nth = 1; struck; ++nth) {
    for (const size_t times : {1, 2, 1000}) {
      disk = TestDisk(nth);
      open();
      const size_t first = disk.calls.size() + nth;
      struck = false;
      disk.permits = [&, times](const std::string&) {
        const size_t call = disk.calls.size();
        const bool strikes = call >= first && call < first + times;
        struck = struck || strikes;
        return !strikes;
      };
      for (uint64_t i = 1; i <= 9; ++i) {
        const bool kept =
            keeper->keep({note(i)}, i % 3 == 0 ? Until::kLater : Until::kDurable).ok();
        if (i == 5 && kept) (void)keeper->settle();
        if (i == 7 && keeper->state().ok()) (void)keeper->cut(Position(5));
        if (keeper->state().ok()) continue;
        ++failures;
        (void)mend();
        EXPECT_FALSE(fatal);
        if (times == 1000) disk.permits = nullptr;
      }
      disk.permits = nullptr;
      ASSERT_TRUE(mend().ok());
      ASSERT_TRUE(keeper->keep({note(10)}, Until::kDurable).ok());
      EXPECT_EQ(keeper->end(), Position(11));
      disk.crash();
      open();
      EXPECT_TRUE(found.whole) << found.trouble;
      const uint64_t begin = found.begin.value();
      EXPECT_LE(begin, 5u);
      EXPECT_EQ(seen.texts, texts(begin, 10)) << nth << ' ' << times;
    }
  }
  EXPECT_GT(failures, 60u);
}

// Each attempt writes what was flushed last into a new file: there is room for two of them.
TEST_F(KeeperTest, MendingThatFailsAgainAndAgainTakesNoMoreRoom) {
  options.log.segment_bytes = uint64_t{1} << 20;
  open();
  keep(1);
  ASSERT_TRUE(keeper->keep({note(2, Bytes(100'000, 'x'))}, Until::kDurable).ok());
  fail("sync log");
  ASSERT_FALSE(keeper->keep({note(3)}, Until::kDurable).ok());
  disk.capacity = disk.used() + 250'000;
  disk.permits = [](const std::string& call) {
    return call.rfind("sync log", 0) != 0 || !call.ends_with(".new");
  };
  const uint64_t before = disk.used();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(mend().ok());
    const auto names = disk.names();
    const auto unfinished = std::count_if(
        names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".new"); });
    EXPECT_LE(unfinished, 2) << i;
    EXPECT_LE(disk.used(), before + 120'000) << i;
  }
  EXPECT_FALSE(fatal);
  EXPECT_EQ(disk.count("create log-"), 21u) << "one for the log, one for each attempt";
  auto calls = disk.calls;
  std::sort(calls.begin(), calls.end());
  const auto twice = std::adjacent_find(
      calls.begin(), calls.end(),
      [](const auto& a, const auto& b) { return a == b && a.rfind("create log-", 0) == 0; });
  EXPECT_TRUE(twice == calls.end()) << *twice;
  disk.permits = nullptr;
  ASSERT_TRUE(mend().ok());
  disk.crash();
  open();
  EXPECT_EQ(seen.texts.size(), 3u);
}

// ---- D3 ----------------------------------------------------------------------------------------

TEST_F(KeeperTest, DamageStaysOnRecordUntilItIsMadeUpFor) {
  open();
  keep_some(1, 4);
  disk.flip(newest(), 2 * journal::kBlockBytes + 140);
  open();
  EXPECT_FALSE(found.whole);
  EXPECT_NE(found.trouble.find("log-"), std::string::npos);
  EXPECT_EQ(seen.texts, texts(1, 1));
  EXPECT_EQ(seen.strays, (std::vector<uint64_t>{3, 4}));
  keep(5);
  for (int i = 0; i < 3; ++i) {
    disk.crash();
    open();
    EXPECT_FALSE(found.whole);
    EXPECT_FALSE(found.trouble.empty());
    EXPECT_EQ(seen.texts, (std::vector<std::string>{text(1), text(5)}));
  }
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kDurable).ok());
  disk.crash();
  open();
  EXPECT_TRUE(found.whole);
  EXPECT_TRUE(found.trouble.empty());
  EXPECT_EQ(seen.texts, (std::vector<std::string>{text(1), text(5)}));
}

TEST_F(KeeperTest, WhatSaysThatItIsNotWholeIsNotCut) {
  open();
  keep_some(1, 4);
  disk.flip(newest(), 2 * journal::kBlockBytes + 140);
  open();
  keep_some(5, 30);
  ASSERT_TRUE(keeper->cut(keeper->end()).ok());
  open();
  EXPECT_FALSE(found.whole);
  ASSERT_TRUE(keeper->cut(keeper->end()).ok());
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kLater).ok());
  ASSERT_TRUE(keeper->cut(keeper->end()).ok());  // it is not durable yet
  disk.crash();
  open();
  EXPECT_FALSE(found.whole);
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kDurable).ok());
  keep_some(31, 50);
  ASSERT_TRUE(keeper->cut(keeper->end()).ok());
  open();
  EXPECT_TRUE(found.whole);
  EXPECT_GT(found.begin, Position(30));
}

TEST_F(KeeperTest, ALogThatIsLostIsNotAFirstStart) {
  options.ran_before = true;
  for (int i = 0; i < 2; ++i) {
    open();
    EXPECT_FALSE(found.first_start);
    EXPECT_FALSE(found.whole);
    EXPECT_FALSE(found.trouble.empty());
    disk.crash();
  }
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kDurable).ok());
  open();
  EXPECT_TRUE(found.whole);
}

TEST_F(KeeperTest, FilesThatWereSetAsideSayThatThereWasALog) {
  disk.put_file("log-0000000000000001.log.damaged", "");
  open();
  EXPECT_FALSE(found.first_start);
  EXPECT_FALSE(found.whole);
}

/// With a crash at each call of the opening that gives the old log up.
TEST_F(KeeperTest, ALogOfWhichNothingCanBeReadIsReplaced) {
  for (size_t nth = 0; nth < 30; ++nth) {
    disk = TestDisk(nth + 1);
    open();
    keep_some(1, 12);  // three segments
    for (const std::string& name : disk.names()) disk.flip(name, 20);
    const size_t first = disk.calls.size() + nth;
    if (nth > 0) disk.permits = [&](const std::string&) { return disk.calls.size() < first; };
    const bool opened = try_open().ok();
    EXPECT_EQ(opened, nth == 0 || disk.calls.size() < first);
    disk.permits = nullptr;
    disk.crash();
    for (int i = 0; i < 2; ++i) {
      open();
      EXPECT_FALSE(found.whole) << nth;
      EXPECT_FALSE(found.first_start);
      EXPECT_TRUE(seen.texts.empty());
    }
    keep(1);
    disk.crash();
    open();
    EXPECT_EQ(seen.texts, texts(1, 1));
    EXPECT_FALSE(disk.has("log.lost"));
  }
}

TEST_F(KeeperTest, APartOfAnUnreadableLogThatIsLeftIsNotTakenForOne) {
  open();
  keep_some(1, 12);
  const std::vector<std::string> names = disk.names();
  for (const std::string& name : names) disk.unreadable.insert(name);
  size_t renames = 0;
  disk.permits = [&](const std::string& call) {
    return call.rfind("rename log-1.log", 0) != 0 || ++renames > 1;
  };
  EXPECT_FALSE(try_open().ok());
  disk.permits = nullptr;
  disk.unreadable.clear();  // it can be read again, all of it or what is left
  open();
  EXPECT_FALSE(found.whole);
}

// A log that can be read as well. When the power fails any of the new names may be on the disk, and
// what is left of a log without its oldest file looks like one that was cut.
TEST_F(KeeperTest, WhatIsLeftOfALogThatIsGivenUpIsNotTakenForOne) {
  bool oldest_gone = false;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    disk = TestDisk(seed);
    open();
    keep_some(1, 12);  // three segments
    const auto segments = journal::list_segments(disk, "log");
    size_t renames = 0;
    disk.permits = [&](const std::string& call) {
      renames += call.rfind("rename log-", 0) == 0 ? 1 : 0;
      return renames == 0 || call != "sync_names";
    };
    EXPECT_FALSE(give_up_log(disk, "log", "it is an old copy").ok());
    EXPECT_EQ(renames, segments->size());
    disk.permits = nullptr;
    disk.crash();
    oldest_gone |= !disk.has(segments->front()) && disk.has(segments->back());
    for (int i = 0; i < 2; ++i) {
      open();
      EXPECT_FALSE(found.whole) << seed;
      EXPECT_FALSE(found.trouble.empty());
    }
    EXPECT_FALSE(disk.has("log.lost"));
  }
  EXPECT_TRUE(oldest_gone);
}

TEST_F(KeeperTest, WhereThereIsNoLogNothingIsGivenUp) {
  ASSERT_TRUE(give_up_log(disk, "log", "it is an old copy").ok());
  EXPECT_TRUE(disk.names().empty());
  open();
  EXPECT_TRUE(found.first_start);
}

// ---- Async -------------------------------------------------------------------------------------

TEST_F(KeeperTest, AsyncIsNotSyncedAndSurvivesTheProcess) {
  options.durability = Durability::kAsync;
  open();
  const size_t syncs = disk.count("sync log");
  keep_some(1, 5);
  EXPECT_EQ(disk.count("sync log"), syncs);
  open();
  EXPECT_TRUE(found.whole);
  EXPECT_EQ(seen.texts, texts(1, 5));
}

TEST_F(KeeperTest, AsyncIsNotWholeAfterTheMachineHasStopped) {
  options.durability = Durability::kAsync;
  open();
  keep_some(1, 5);
  disk.crash();
  options.machine_start = "boot-2";
  open();
  EXPECT_FALSE(found.whole);
  EXPECT_LE(seen.texts.size(), 5u);
  EXPECT_EQ(seen.texts, texts(1, seen.texts.size()));
  open();  // in the same start of the machine
  EXPECT_FALSE(found.whole);
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kDurable).ok());
  open();
  EXPECT_TRUE(found.whole);
  options.machine_start = "boot-3";
  open();
  EXPECT_FALSE(found.whole);
}

TEST_F(KeeperTest, AsyncIsWholeAfterAnOrderlyEnd) {
  options.durability = Durability::kAsync;
  open();
  keep_some(1, 5);
  ASSERT_TRUE(keeper->close().ok());
  disk.crash();
  options.machine_start = "boot-2";
  open();
  EXPECT_TRUE(found.whole) << found.trouble;
  EXPECT_EQ(seen.texts, texts(1, 5));
}

TEST_F(KeeperTest, ALogThatWasAsyncMayLackItsEndWhoeverOpensItNext) {
  options.durability = Durability::kAsync;
  open();
  keep_some(1, 5);
  disk.crash();
  options.durability = Durability::kSync;
  options.machine_start = "boot-2";
  open();
  EXPECT_FALSE(found.whole);
  ASSERT_TRUE(keeper->keep({{kRemembered, 0, {}}}, Until::kDurable).ok());
  disk.crash();
  options.machine_start = "boot-3";
  open();  // from now on it is synced
  EXPECT_TRUE(found.whole) << found.trouble;
}

TEST_F(KeeperTest, AMarkThatCannotBeReadIsOfAnotherMachine) {
  options.durability = Durability::kAsync;
  open();
  keep(1);
  disk.flip("log.start", 17);
  open();
  EXPECT_FALSE(found.whole);
}

TEST_F(KeeperTest, AsyncNotesThatWereNotSyncedAreMendedAsWell) {
  options.durability = Durability::kAsync;
  options.log.segment_bytes = uint64_t{1} << 20;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    disk = TestDisk(seed);
    open();
    keep_some(1, 5);
    fail("sync log");
    EXPECT_FALSE(keeper->settle().ok());
    disk.permits = nullptr;
    // The cache forgets what the failed sync left behind.
    keeper->keep({note(6)}, Until::kDurable).ok();
    disk.crash();
    ASSERT_TRUE(mend().ok());
    open();
    EXPECT_EQ(seen.texts, texts(1, 6));
  }
}

}  // namespace
}  // namespace eve::durability
