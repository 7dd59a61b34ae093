#include "journal/log_reader.h"

#include <gtest/gtest.h>

#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

using testing::Collector;
using testing::small_options;
using testing::TestDisk;

const std::string kFirst = "log-0000000000000001.log";
const std::string kSecond = "log-0000000000000002.log";
const std::string kThird = "log-0000000000000003.log";

class LogReaderTest : public ::testing::Test {
 protected:
  LogReaderTest() { create(); }

  void create() {
    auto made = LogWriter::create(disk, options, testing::life(1));
    EXPECT_TRUE(made.ok());
    log = std::move(*made);
  }
  /// Each with a flush: the n-th record of a segment is in its n-th block.
  void write(int from, int to) {
    for (int i = from; i <= to; ++i) {
      EXPECT_TRUE(log->append(1, 0, Bytes(3000, static_cast<char>('a' + i))).ok());
      EXPECT_TRUE(log->flush().ok());
    }
  }
  Recovery read() {
    seen = {};
    auto recovery = read_log(disk, options, seen);
    EXPECT_TRUE(recovery.ok());
    return recovery.ok() ? std::move(*recovery) : Recovery();
  }
  Status resume(const Recovery& recovery, const std::vector<NewRecord>& first = {}) {
    auto resumed = LogWriter::resume(disk, options, recovery, first);
    if (resumed.ok()) log = std::move(*resumed);
    return resumed.status();
  }
  static uint64_t block(uint64_t number) { return number * kBlockBytes; }
  static std::string message(const Recovery& recovery) {
    return recovery.damage.empty() ? "" : recovery.damage[0].file + ": " + recovery.damage[0].what;
  }

  TestDisk disk;
  LogOptions options = small_options();
  std::unique_ptr<LogWriter> log;
  Collector seen;
};

// ---- Tails ----

TEST_F(LogReaderTest, AnEmptyDiskHasNoLog) {
  TestDisk other;
  auto recovery = read_log(other, options, seen);
  ASSERT_TRUE(recovery.ok());
  EXPECT_TRUE(recovery->empty);
  EXPECT_FALSE(LogWriter::resume(other, options, *recovery).ok());
}

TEST_F(LogReaderTest, J6ATornTailIsCut) {
  write(1, 2);
  ASSERT_TRUE(log->append(1, 0, Bytes(3000, 'x')).ok());
  ASSERT_TRUE(log->flush().ok());
  disk.blank(kFirst, block(3) + kPieceBytes, kPieceBytes);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.tail, Tail::kTorn);
  EXPECT_EQ(recovery.cut_bytes, kBlockBytes);
  EXPECT_TRUE(recovery.damage.empty());
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(recovery.settled, Position(3));
  ASSERT_TRUE(resume(recovery).ok());
  write(3, 3);
  EXPECT_EQ(read().end, Position(4));
  EXPECT_EQ(seen.records[2].payload[0], 'd');
}

TEST_F(LogReaderTest, J6SoIsAFlushWhoseFirstGroupIsMissing) {
  write(1, 1);
  ASSERT_TRUE(log->append(1, 0, Bytes(kGroupBytes, 'x')).ok());
  ASSERT_TRUE(log->append(1, 0, "a group of its own").ok());
  ASSERT_TRUE(log->flush().ok());
  disk.blank(kSecond, block(1), kGroupBytes);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.tail, Tail::kTorn);
  EXPECT_TRUE(recovery.damage.empty()) << message(recovery);
  EXPECT_EQ(recovery.end, Position(2));
}

TEST_F(LogReaderTest, ALostLastFlushLooksLikeNone) {
  write(1, 2);
  disk.blank(kFirst, block(2), kBlockBytes);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.tail, Tail::kOpen);
  EXPECT_EQ(recovery.end, Position(2));
}

TEST_F(LogReaderTest, ButNotIfItWasSettled) {
  write(1, 2);
  ASSERT_TRUE(log->settle().ok());
  disk.blank(kFirst, block(2), kBlockBytes);
  const Recovery recovery = read();
  EXPECT_EQ(message(recovery), kFirst + ": a group is lost that had been acknowledged");
}

// ---- Damage ----

TEST_F(LogReaderTest, J6AFlippedBitAnywhereIsNotATornTail) {
  write(1, 2);
  for (uint64_t at = block(1); at < block(2) + kGroupHeaderBytes + 3000; at += 97) {
    disk.flip(kFirst, at);
    const Recovery recovery = read();
    const bool padding = at >= block(1) + kGroupHeaderBytes + 3014 && at < block(2);
    EXPECT_EQ(recovery.damage.empty(), padding) << at;
    EXPECT_LE(recovery.end, Position(3));
    disk.flip(kFirst, at);
  }
  EXPECT_TRUE(read().damage.empty());
}

TEST_F(LogReaderTest, J6PiecesMissingInTheMiddleAreDamage) {
  write(1, 3);
  disk.blank(kFirst, block(2) + kPieceBytes, kPieceBytes);
  EXPECT_EQ(message(read()), kFirst + ": a group is lost that had been acknowledged");
  EXPECT_EQ(seen.records.size(), 1u);
  ASSERT_EQ(seen.strays.size(), 1u);
  EXPECT_EQ(seen.strays[0].position, Position(3));
}

TEST_F(LogReaderTest, J7AStaleBlockOfAnEarlierLifeDoesNotPass) {
  write(1, 4);
  const Bytes earlier = disk.content(kFirst);
  disk.lose(kFirst);
  auto made = LogWriter::create(disk, options, testing::life(2));
  ASSERT_TRUE(made.ok());
  log = std::move(*made);
  write(1, 2);
  disk.damage(kFirst, [&](Bytes& bytes) { bytes.resize(block(3)); });
  disk.damage(kFirst, [&](Bytes& bytes) { bytes += earlier.substr(block(3), kBlockBytes); });
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(message(recovery), kFirst + ": a group of another place or another log");
}

TEST_F(LogReaderTest, J7AMisdirectedBlockDoesNotPass) {
  write(1, 4);
  const Bytes moved = disk.content(kFirst).substr(block(2), kBlockBytes);
  disk.damage(kFirst, [&](Bytes& bytes) { bytes.replace(block(3), kBlockBytes, moved); });
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(recovery.known_end, Position(5));
  EXPECT_EQ(message(recovery), kFirst + ": a group of another place or another log");
  EXPECT_EQ(seen.strays.size(), 1u);
}

TEST_F(LogReaderTest, J7AGroupOfAnotherHistoryDoesNotPass) {
  // What a first process wrote and a crash tore; what a second one wrote there instead.
  write(1, 2);
  const Bytes old = disk.content(kFirst);
  TestDisk other;
  auto made = LogWriter::create(other, options, testing::life(1));
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE((*made)->append(1, 0, "another").ok() && (*made)->flush().ok());
  ASSERT_TRUE((*made)->append(1, 0, "history").ok() && (*made)->flush().ok());
  const Bytes stale = other.content(kFirst).substr(block(2), kBlockBytes);
  disk.damage(kFirst, [&](Bytes& bytes) { bytes.replace(block(2), kBlockBytes, stale); });
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(2));
  EXPECT_EQ(message(recovery), kFirst + ": a group that does not continue the log");
}

TEST_F(LogReaderTest, DamagedFilesAreKeptAndWhatIsGoodGoesOn) {
  write(1, 7);  // five in the first segment
  disk.flip(kFirst, block(3) + 200);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(recovery.known_end, Position(8));
  EXPECT_EQ(seen.strays.size(), 4u);
  EXPECT_FALSE(resume(recovery).ok());  // without putting it on record
  ASSERT_TRUE(resume(recovery, {{5, 1, "records are lost"}}).ok());
  EXPECT_TRUE(disk.has(kFirst + ".damaged"));
  EXPECT_TRUE(disk.has(kSecond + ".damaged"));
  write(8, 8);
  disk.crash();
  const Recovery again = read();
  EXPECT_TRUE(again.damage.empty());
  EXPECT_EQ(again.kept.size(), 2u);
  ASSERT_EQ(seen.records.size(), 4u);
  EXPECT_EQ(seen.records[1].payload[0], 'c');
  EXPECT_EQ(seen.records[2].payload, "records are lost");
  EXPECT_EQ(seen.records[3].position, Position(4));
}

TEST_F(LogReaderTest, SettingAsideIsOneWithTheRecordOfIt) {
  // Whatever call fails: the next process sees the damage, or the record of it.
  for (int fails = 0; fails < 12; ++fails) {
    disk = TestDisk(static_cast<uint64_t>(fails));
    log.reset();
    create();
    write(1, 7);
    disk.flip(kFirst, block(3) + 200);
    const Recovery recovery = read();
    int left = fails;
    disk.permits = [&](const std::string&) { return left-- != 0; };
    (void)resume(recovery, {{5, 1, "records are lost"}});
    disk.permits = nullptr;
    disk.crash();
    const Recovery again = read();
    const bool on_record = !seen.records.empty() && seen.records.back().kind == 5;
    EXPECT_TRUE(on_record || !again.damage.empty()) << fails;
    EXPECT_GE(seen.records.size(), 2u) << fails;
    ASSERT_TRUE(resume(again, {{5, 1, "again"}}).ok());
    EXPECT_TRUE(disk.has(kFirst + ".damaged")) << fails;
    EXPECT_FALSE(disk.has(kFirst)) << fails;
  }
}

TEST_F(LogReaderTest, AnUnreadableHeaderIsDamage) {
  write(1, 12);
  disk.flip(kSecond, 100);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(6));
  EXPECT_EQ(message(recovery), kSecond + ": its header is not readable");
  EXPECT_EQ(recovery.known_end, Position(13));
  ASSERT_TRUE(resume(recovery, {{5, 1, ""}}).ok());
  EXPECT_TRUE(disk.has(kThird + ".damaged"));
  EXPECT_EQ(read().end, Position(7));
}

// The fuzzer's: its claim was believed, and the damage could never be repaired.
TEST_F(LogReaderTest, SoIsOneThatClaimsMoreThanTheSegmentHolds) {
  write(1, 12);
  auto header = decode_segment_header(disk.content(kFirst).substr(0, kBlockBytes));
  ASSERT_TRUE(header.has_value());
  header->settled = 1000;
  disk.damage(kFirst, [&](Bytes& bytes) { bytes.replace(0, kBlockBytes, encode(*header)); });
  const Recovery recovery = read();
  EXPECT_EQ(message(recovery), kFirst + ": it does not fit the segments beside it");
  EXPECT_EQ(recovery.end, Position(1));
  EXPECT_EQ(recovery.known_end, Position(13));
}

TEST_F(LogReaderTest, SoIsThatOfTheNewestSegment) {
  write(1, 12);
  disk.flip(kThird, 100);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(11));
  EXPECT_EQ(recovery.known_end, Position(13));
  EXPECT_EQ(message(recovery), kThird + ": its header is not readable");
}

TEST_F(LogReaderTest, ALostSegmentIsMissed) {
  write(1, 12);
  disk.lose(kSecond);
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(6));
  EXPECT_EQ(message(recovery), kSecond + ": it is missing");
  EXPECT_EQ(seen.strays.size(), 2u);
}

TEST_F(LogReaderTest, ALostOldestSegmentIsSeenByWhoKnowsWhereTheLogBegins) {
  write(1, 12);
  disk.lose(kFirst);
  EXPECT_EQ(read().begin, Position(6));
}

TEST_F(LogReaderTest, ALostNewestSegmentIsSeenByWhoRemembersHowOftenItWasOpened) {
  write(1, 2);
  ASSERT_TRUE(resume(read()).ok());
  write(3, 3);
  EXPECT_EQ(read().opened, 2u);
  disk.lose(kSecond);
  const Recovery recovery = read();
  EXPECT_TRUE(recovery.damage.empty());
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(recovery.opened, 1u);
}

TEST_F(LogReaderTest, AReadErrorIsDamageEvenAtTheEnd) {
  write(1, 7);
  disk.unreadable.insert(kSecond);
  const Recovery recovery = read();
  EXPECT_EQ(message(recovery), kSecond + ": input/output error");
  EXPECT_EQ(recovery.end, Position(6));
}

TEST_F(LogReaderTest, AReadThatFailsOnceIsNot) {
  write(1, 7);
  for (const std::string call : {"open log-1.log", "read log-1.log", "read log-2.log"}) {
    for (int first = 0; first < 12; ++first) {
      int left = first;
      disk.reading = [&](const std::string& asked) {
        if (asked != call || left-- > 0 || left < -2) return Status();
        return Status(Error{"input/output error", ErrorKind::kMedium});
      };
      EXPECT_TRUE(read().damage.empty()) << call << " " << first;
      EXPECT_EQ(seen.records.size(), 7u);
    }
  }
}

TEST_F(LogReaderTest, WhatSaysNothingAboutTheDiskIsNeverDamage) {
  write(1, 7);
  disk.flip(kSecond, block(2) + 200);  // so that all that can be read is
  int calls = 0;
  disk.reading = [&](const std::string&) { return ++calls, Status(); };
  const Recovery sound = read();
  ASSERT_EQ(sound.damage.size(), 1u);
  for (int first = 0; first < calls; ++first) {
    for (const int times : {1, calls}) {
      int left = first;
      disk.reading = [&](const std::string&) {
        const bool fails = left-- <= 0 && left >= -times;
        return fails ? Status(Error{"too many files are open: close some"}) : Status();
      };
      Collector found;
      const auto recovery = read_log(disk, options, found);
      if (times == 1 && recovery.ok()) {  // it asked again, for less
        EXPECT_EQ(recovery->set_aside, sound.set_aside) << first;
        EXPECT_EQ(recovery->end, sound.end) << first;
        continue;
      }
      ASSERT_FALSE(recovery.ok()) << first;
      EXPECT_EQ(recovery.message(),
                "log log cannot be read now: too many files are open: close some");
    }
  }
}

TEST_F(LogReaderTest, ATruncatedSegmentInTheMiddleIsDamage) {
  write(1, 7);
  disk.damage(kFirst, [](Bytes& bytes) { bytes.resize(block(4)); });
  EXPECT_EQ(message(read()), kFirst + ": it ends too early");
}

TEST_F(LogReaderTest, WhenNothingIsReadableTheLogIsSetAside) {
  write(1, 2);
  disk.flip(kFirst, 100);
  const Recovery recovery = read();
  EXPECT_FALSE(recovery.empty);
  EXPECT_FALSE(recovery.damage.empty());
  EXPECT_FALSE(resume(recovery, {{5, 1, ""}}).ok());
  ASSERT_TRUE(set_aside_log(disk, options.name).ok());
  EXPECT_TRUE(read().empty);
  EXPECT_EQ(read().kept, std::vector<std::string>{kFirst + ".damaged"});
  auto made = LogWriter::create(disk, options, testing::life(2), {{5, 1, "lost"}});
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(disk.has(kSecond));  // no name is used twice
  disk.crash();
  read();
  ASSERT_EQ(seen.records.size(), 1u);
  EXPECT_EQ(seen.records[0].payload, "lost");
}

TEST_F(LogReaderTest, J10WhatWasSetAsideAndNotReplacedIsMissed) {
  write(1, 2);
  ASSERT_TRUE(resume(read()).ok());
  write(3, 4);
  disk.permits = [&](const std::string& call) { return call != "rename log-1.log"; };
  EXPECT_FALSE(set_aside_log(disk, options.name).ok());
  disk.permits = nullptr;
  const Recovery recovery = read();
  EXPECT_EQ(message(recovery), kSecond + ".damaged: it is set aside, and the log ends before it");
  ASSERT_TRUE(resume(recovery, {{5, 1, "a part is gone"}}).ok());
  EXPECT_TRUE(disk.has(kThird)) << "no name is used twice";
  EXPECT_TRUE(read().damage.empty()) << "that is on record";
}

TEST_F(LogReaderTest, J10SettingALogAsideIsDurableBeforeAnotherBegins) {
  // The power fails when the next log's name is there, or not: any names since the last sync may.
  for (uint64_t seed = 0; seed < 40; ++seed) {
    disk = TestDisk(seed);
    log.reset();
    create();
    write(1, 2);
    disk.flip(kFirst, 100);
    ASSERT_TRUE(set_aside_log(disk, options.name).ok());
    bool named = false;
    disk.permits = [&](const std::string& call) {
      named = named || call.rfind("rename", 0) == 0;
      return !named || call != "sync_names";
    };
    EXPECT_FALSE(LogWriter::create(disk, options, testing::life(2)).ok());
    disk.permits = nullptr;
    disk.crash();
    const Recovery recovery = read();
    if (!recovery.empty) (void)resume(recovery);
    EXPECT_TRUE(disk.has(kFirst + ".damaged")) << seed;
  }
}

// ---- Others' files ----

TEST_F(LogReaderTest, AnotherNodesLogIsRefused) {
  write(1, 1);
  auto other = options;
  other.owner.node = "verifier-3";
  auto recovery = read_log(disk, other, seen);
  ASSERT_FALSE(recovery.ok());
  EXPECT_NE(recovery.message().find("belongs to verifier-2"), std::string::npos);
  other = options;
  other.owner.cluster = "cluster-2";
  EXPECT_FALSE(read_log(disk, other, seen).ok());
}

TEST_F(LogReaderTest, ALogOfALaterReleaseIsRefusedAndLeftAlone) {
  Bytes header = disk.content(kFirst).substr(0, kBlockBytes);
  header[24] = 2;
  const Sum sum = checksum(ByteView(header).substr(24));
  header.replace(8, sum.size(), reinterpret_cast<const char*>(sum.data()), sum.size());
  disk.damage(kFirst, [&](Bytes& bytes) { bytes.replace(0, kBlockBytes, header); });
  auto recovery = read_log(disk, options, seen);
  ASSERT_FALSE(recovery.ok());
  EXPECT_NE(recovery.message().find("version 2"), std::string::npos);
}

TEST_F(LogReaderTest, ARenamedSegmentIsNotTakenForAnother) {
  write(1, 12);
  disk.put_file(kSecond, disk.content(kThird));
  const Recovery recovery = read();
  EXPECT_EQ(recovery.end, Position(6));
  EXPECT_EQ(message(recovery), kSecond + ": it is " + kThird + " by its header");
}

TEST_F(LogReaderTest, FilesThatAreNotSegmentsAreNotLookedAt) {
  write(1, 1);
  disk.put_file("log-1.log", "x");
  disk.put_file("log.reserve", "x");
  disk.put_file("other-0000000000000001.log", "x");
  disk.put_file(kFirst + ".damaged", "x");
  disk.put_file(kSecond + ".new", "x");
  disk.put_file(kThird + ".new", "x");
  const Recovery recovery = read();
  EXPECT_TRUE(recovery.damage.empty());
  ASSERT_TRUE(resume(recovery).ok());
  EXPECT_FALSE(disk.has(kSecond + ".new"));
  EXPECT_TRUE(disk.has("log-0000000000000004.log"));
}

TEST_F(LogReaderTest, AVisitorsErrorEndsTheReading) {
  struct Refusing : Visitor {
    Status record(const Record&) override {
      ++visited;
      return Error{"enough"};
    }
    int visited = 0;
  } refusing;
  write(1, 3);
  EXPECT_FALSE(read_log(disk, options, refusing).ok());
  EXPECT_EQ(refusing.visited, 1);
}

}  // namespace
}  // namespace eve::journal
