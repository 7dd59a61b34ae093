#include "journal/log_writer.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "journal/log_reader.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

using testing::Collector;
using testing::small_options;
using testing::TestDisk;

class LogWriterTest : public ::testing::Test {
 protected:
  void create() {
    auto made = LogWriter::create(disk, options, testing::life(1));
    ASSERT_TRUE(made.ok()) << made.message();
    log = std::move(*made);
    disk.calls.clear();
  }
  Recovery read() {
    seen = {};
    auto recovery = read_log(disk, options, seen);
    EXPECT_TRUE(recovery.ok());
    return recovery.ok() ? std::move(*recovery) : Recovery();
  }
  void resume(const std::vector<NewRecord>& first = {}) {
    log.reset();
    auto resumed = LogWriter::resume(disk, options, read(), first);
    ASSERT_TRUE(resumed.ok()) << resumed.message();
    log = std::move(*resumed);
    disk.calls.clear();
  }
  void append(const Bytes& payload) { ASSERT_TRUE(log->append(1, 0, payload).ok()); }
  void write(const Bytes& payload) {
    append(payload);
    ASSERT_TRUE(log->flush().ok());
  }
  std::vector<Bytes> payloads() const {
    std::vector<Bytes> all;
    for (const auto& record : seen.records) all.push_back(record.payload);
    return all;
  }
  void fail(const std::string& verb) {
    disk.permits = [verb](const std::string& call) { return call.rfind(verb, 0) != 0; };
  }
  using Calls = std::vector<std::string>;
  using Payloads = std::vector<Bytes>;

  TestDisk disk;
  LogOptions options = small_options();
  std::unique_ptr<LogWriter> log;
  Collector seen;
};

TEST_F(LogWriterTest, WhatWasFlushedComesBack) {
  create();
  EXPECT_EQ(log->append(3, 17, "a")->value(), 1u);
  EXPECT_EQ(log->append(4, 16, "")->value(), 2u);
  EXPECT_TRUE(log->flush().ok());
  EXPECT_EQ(log->durable_end(), Position(3));
  disk.crash();
  const Recovery recovery = read();
  ASSERT_EQ(seen.records.size(), 2u);
  EXPECT_EQ(seen.records[0], (testing::Seen{Position(1), 3, 17, "a"}));
  EXPECT_EQ(seen.records[1], (testing::Seen{Position(2), 4, 16, ""}));
  EXPECT_EQ(recovery.end, Position(3));
  EXPECT_EQ(recovery.tail, Tail::kOpen);
  EXPECT_TRUE(recovery.damage.empty());
}

TEST_F(LogWriterTest, J1ASegmentIsDurableBeforeItHasItsName) {
  ASSERT_TRUE(LogWriter::create(disk, options, testing::life(1)).ok());
  EXPECT_EQ(disk.calls, (Calls{"create log-1.log.new", "write log-1.log.new", "sync log-1.log.new",
                               "rename log-1.log.new", "sync_names"}));
}

TEST_F(LogWriterTest, J1ManyRecordsCostOneSync) {
  create();
  for (int i = 0; i < 100; ++i) append("record");
  EXPECT_TRUE(disk.calls.empty());
  EXPECT_EQ(log->durable_end(), Position(1));
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(disk.calls, (Calls{"write log-1.log", "sync log-1.log"}));
  EXPECT_EQ(log->durable_end(), Position(101));
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(disk.calls.size(), 2u);
}

TEST_F(LogWriterTest, J1WhatIsWrittenWithoutASyncSurvivesTheProcess) {
  create();
  append("a");
  ASSERT_TRUE(log->write().ok());
  append("b");
  ASSERT_TRUE(log->write().ok());
  EXPECT_EQ(disk.count("sync"), 0u);
  EXPECT_EQ(log->durable_end(), Position(1));
  resume();
  EXPECT_EQ(payloads(), (Payloads{"a", "b"}));
  EXPECT_EQ(log->durable_end(), Position(3));
}

TEST_F(LogWriterTest, J1AFlushSyncsWhatWasWrittenBefore) {
  create();
  append("a");
  ASSERT_TRUE(log->write().ok());
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(disk.count("sync"), 1u);
  EXPECT_EQ(log->durable_end(), Position(2));
  disk.crash();
  read();
  EXPECT_EQ(payloads(), (Payloads{"a"}));
}

TEST_F(LogWriterTest, J1ASegmentIsDurableBeforeTheNextOneBegins) {
  create();
  for (int i = 0; i < 5; ++i) {
    append("a");
    ASSERT_TRUE(log->write().ok());
  }
  disk.calls.clear();
  append("b");
  ASSERT_TRUE(log->write().ok());
  ASSERT_GE(disk.calls.size(), 2u);
  EXPECT_EQ(disk.calls[0], "sync log-1.log");
  EXPECT_EQ(disk.calls[1], "create log-2.log.new");
  EXPECT_EQ(log->durable_end(), Position(6));
}

TEST_F(LogWriterTest, SmallFlushesFindRoomThatWasWrittenAhead) {
  options.extend_bytes = 32 * kBlockBytes;
  options.segment_bytes = 20 * kBlockBytes;
  create();
  write("a");
  EXPECT_EQ(disk.content("log-0000000000000001.log").size(), options.segment_bytes);
  EXPECT_EQ(disk.calls.size(), 3u);
  write("b");
  EXPECT_EQ(disk.calls.size(), 5u);
  for (int i = 0; i < 30; ++i) write("c");
  EXPECT_EQ(disk.names().size(), 2u);
  disk.crash();
  EXPECT_EQ(read().tail, Tail::kOpen);
  EXPECT_EQ(seen.records.size(), 32u);
}

TEST_F(LogWriterTest, WhatIsNotSyncedGetsNoRoomAhead) {
  options.extend_bytes = 32 * kBlockBytes;
  options.segment_bytes = 64 * kBlockBytes;
  create();
  append("a");
  ASSERT_TRUE(log->write().ok());
  EXPECT_EQ(disk.content("log-0000000000000001.log").size(), 2 * kBlockBytes);
  EXPECT_EQ(disk.calls, (Calls{"write log-1.log"}));
  write("b");
  EXPECT_EQ(disk.content("log-0000000000000001.log").size(), 34 * kBlockBytes);
  EXPECT_EQ(read().end, Position(3));
}

TEST_F(LogWriterTest, LargeFlushesAndFullDisksGetNoRoomAhead) {
  options.extend_bytes = 32 * kBlockBytes;
  options.segment_bytes = 64 * kBlockBytes;
  create();
  write(Bytes(3 * kBlockBytes, 'x'));
  EXPECT_EQ(disk.content("log-0000000000000001.log").size(), 5 * kBlockBytes);
  disk.capacity = disk.used() + 33 * kBlockBytes;
  write("a");
  EXPECT_EQ(disk.content("log-0000000000000001.log").size(), 6 * kBlockBytes);
}

TEST_F(LogWriterTest, J2NoBlockIsWrittenTwice) {
  create();
  write("a");
  const Bytes before = disk.content("log-0000000000000001.log");
  write("b");
  EXPECT_EQ(disk.content("log-0000000000000001.log").substr(0, before.size()), before);
  EXPECT_EQ(before.size(), 2 * kBlockBytes);
  EXPECT_EQ(log->written_bytes(), 3 * kBlockBytes);
}

TEST_F(LogWriterTest, J4AFailedSyncIsTheEndOfTheWriter) {
  create();
  write("a");
  append("b");
  fail("sync");
  EXPECT_FALSE(log->flush().ok());
  disk.permits = nullptr;
  disk.calls.clear();
  EXPECT_EQ(log->durable_end(), Position(2));
  EXPECT_FALSE(log->flush().ok());
  EXPECT_FALSE(log->append(1, 1, "c").ok());
  EXPECT_FALSE(log->settle().ok());
  EXPECT_FALSE(log->close().ok());
  EXPECT_FALSE(log->cut(Position(1)).ok());
  EXPECT_TRUE(disk.calls.empty());
  EXPECT_NE(log->state().message().find("the disk fails"), std::string::npos);
}

TEST_F(LogWriterTest, J4WhatIsInTheCacheOnlyIsWrittenAgain) {
  create();
  write("a");
  append("b");
  fail("sync");
  EXPECT_FALSE(log->flush().ok());
  disk.permits = nullptr;
  resume();
  EXPECT_EQ(payloads(), (Payloads{"a", "b"}));
  EXPECT_EQ(log->durable_end(), Position(3));
  disk.crash();
  read();
  EXPECT_EQ(payloads(), (Payloads{"a", "b"}));
}

TEST_F(LogWriterTest, J5NamesThatAreInTheCacheOnlyAreNotBuiltUpon) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    disk = TestDisk(seed);
    log.reset();
    create();
    write("a");
    for (int attempt = 0; attempt < 2; ++attempt) {  // fails when all is named, and not for sure
      const Recovery recovery = read();
      bool named = false;
      disk.permits = [&](const std::string& call) {
        named = named || call.rfind("rename", 0) == 0;
        return !named || call != "sync_names";
      };
      EXPECT_FALSE(LogWriter::resume(disk, options, recovery).ok());
      disk.permits = nullptr;
    }
    disk.crash();
    EXPECT_TRUE(read().damage.empty()) << seed;
    EXPECT_EQ(payloads(), Payloads{"a"});
  }
}

// Neither when the power fails after it: of its files one at least tells the highest serial.
TEST_F(LogWriterTest, AttemptsToGoOnThatFailUseNoSerialTwice) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    disk = TestDisk(seed);
    create();
    write("a");
    log.reset();
    std::set<std::string> used;
    for (int attempt = 0; attempt < 10; ++attempt) {
      bool removes = false;
      disk.permits = [&](const std::string& call) {
        EXPECT_FALSE(call.starts_with("create") && used.contains(call.substr(7))) << call;
        removes = removes || call.starts_with("remove");
        const bool unfinished = call.starts_with("sync log") && call.ends_with(".new");
        return !unfinished && !(removes && call == "sync_names");
      };
      EXPECT_FALSE(LogWriter::resume(disk, options, read()).ok());
      disk.crash();
      for (const std::string& name : disk.names()) used.insert(TestDisk::short_name(name));
    }
    disk.permits = nullptr;
    resume();
    EXPECT_EQ(payloads(), Payloads{"a"});
  }
}

TEST_F(LogWriterTest, J5AnEarlierFileIsNeverWritten) {
  create();
  write("a");
  resume();
  write("b");
  for (const auto& call : disk.calls) EXPECT_EQ(call.find("log-1.log"), std::string::npos) << call;
  resume();
  write("c");
  const Recovery recovery = read();
  EXPECT_EQ(payloads(), (Payloads{"a", "b", "c"}));
  EXPECT_EQ(recovery.opened, 3u);
}

TEST_F(LogWriterTest, ProcessesThatWriteNothingLeaveNoFilesBehind) {
  create();
  write("a");
  for (int i = 0; i < 20; ++i) resume();
  EXPECT_LE(disk.names().size(), 2u);
  EXPECT_EQ(payloads(), Payloads{"a"});
  EXPECT_EQ(log->opened(), 21u);
}

TEST_F(LogWriterTest, RollsWhenASegmentIsFull) {
  create();
  for (int i = 0; i < 12; ++i) write(std::to_string(i));
  EXPECT_EQ(disk.names().size(), 3u);
  read();
  EXPECT_EQ(seen.records.size(), 12u);
}

TEST_F(LogWriterTest, OneFlushIsInOneSegmentHoweverLarge) {
  create();
  write("a");
  for (int i = 0; i < 3; ++i) append(Bytes(kGroupBytes - 100, 'x'));
  append("small");
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(disk.names().size(), 2u);
  EXPECT_EQ(disk.count("write log-2.log"), 4u + 1u);  // and the header
  read();
  EXPECT_EQ(seen.records.size(), 5u);
  EXPECT_EQ(seen.records[4].payload, "small");
}

TEST_F(LogWriterTest, J9CutRemovesWholeSegmentsOldestFirst) {
  create();
  for (int i = 0; i < 12; ++i) write(std::to_string(i));  // five to a segment
  disk.calls.clear();
  ASSERT_TRUE(log->cut(Position(5)).ok());
  EXPECT_TRUE(disk.calls.empty());
  ASSERT_TRUE(log->cut(Position(12)).ok());
  EXPECT_EQ(disk.calls,
            (Calls{"remove log-1.log", "sync_names", "remove log-2.log", "sync_names"}));
  const Recovery recovery = read();
  EXPECT_EQ(recovery.begin, Position(11));
  EXPECT_EQ(recovery.end, Position(13));
  EXPECT_TRUE(recovery.damage.empty());
  ASSERT_TRUE(log->cut(Position(13)).ok());
  EXPECT_EQ(disk.names().size(), 1u);
}

TEST_F(LogWriterTest, CutKeepsARecordThatIsAskedFor) {
  create();
  for (int i = 0; i < 6; ++i) write(std::to_string(i));
  ASSERT_TRUE(log->cut(Position(5)).ok());
  EXPECT_EQ(read().begin, Position(1));
  ASSERT_TRUE(log->cut(Position(6)).ok());
  EXPECT_EQ(read().begin, Position(6));
}

TEST_F(LogWriterTest, CutGoesOnAfterARestart) {
  create();
  for (int i = 0; i < 12; ++i) write(std::to_string(i));
  resume();
  ASSERT_TRUE(log->cut(Position(12)).ok());
  write("more");
  const Recovery recovery = read();
  EXPECT_EQ(recovery.begin, Position(12));  // written again when the log was opened
  EXPECT_EQ(payloads(), (Payloads{"11", "more"}));
}

TEST_F(LogWriterTest, SettleSaysOnTheDiskWhatWasAcknowledged) {
  create();
  write("a");
  EXPECT_EQ(read().settled, Position(1));
  ASSERT_TRUE(log->settle().ok());
  EXPECT_EQ(read().settled, Position(2));
  disk.calls.clear();
  ASSERT_TRUE(log->settle().ok());
  EXPECT_TRUE(disk.calls.empty());
}

TEST_F(LogWriterTest, CloseMarksAnOrderlyEnd) {
  create();
  write("a");
  append("b");
  ASSERT_TRUE(log->close().ok());
  EXPECT_FALSE(log->append(1, 1, "c").ok());
  disk.crash();
  const Recovery recovery = read();
  EXPECT_EQ(recovery.tail, Tail::kClosed);
  EXPECT_EQ(recovery.settled, Position(3));
  resume();
  write("c");
  EXPECT_EQ(read().tail, Tail::kOpen);
  EXPECT_EQ(payloads(), (Payloads{"a", "b", "c"}));
}

TEST_F(LogWriterTest, ARecordHasALimit) {
  create();
  const Bytes large(limits::kMaxJournalRecordBytes + 1, 'x');
  EXPECT_FALSE(log->append(1, 1, large).ok());
  EXPECT_TRUE(log->append(1, 1, ByteView(large).substr(1)).ok());
  EXPECT_FALSE(log->append(1, 1, ByteView(large).substr(1)).ok());
  EXPECT_TRUE(log->state().ok());
  EXPECT_TRUE(log->append(1, 1, "small").ok());
}

TEST_F(LogWriterTest, ALogThatIsThereIsNotMadeAgain) {
  create();
  EXPECT_FALSE(LogWriter::create(disk, options, testing::life(2)).ok());
  auto other = options;
  other.name = "other";
  EXPECT_TRUE(LogWriter::create(disk, other, testing::life(2)).ok());
  other.name = "a-b";
  EXPECT_FALSE(LogWriter::create(disk, other, testing::life(2)).ok());
}

// ---- Room ----

TEST_F(LogWriterTest, J8AFullDiskCostsTheReserveAndNoRecord) {
  options.reserve_bytes = 16 * kBlockBytes;
  create();
  EXPECT_TRUE(disk.has("log.reserve"));
  write("a");
  disk.capacity = disk.used();
  write("b");
  EXPECT_FALSE(disk.has("log.reserve"));
  EXPECT_EQ(*log->check_space(), Space::kReserveUsed);
  disk.crash();
  read();
  EXPECT_EQ(payloads(), (Payloads{"a", "b"}));
  disk.capacity = uint64_t{1} << 30;
  EXPECT_EQ(*log->check_space(), Space::kEnough);
  EXPECT_TRUE(disk.has("log.reserve"));
}

TEST_F(LogWriterTest, J8SoIsANewSegmentsName) {
  options.reserve_bytes = 16 * kBlockBytes;
  create();
  for (int i = 0; i < 5; ++i) write("a");
  bool refused = false;
  disk.fails_with = ErrorKind::kNoSpace;
  disk.permits = [&](const std::string& call) {
    const bool now = !refused && call.rfind("create log-2", 0) == 0;
    refused = refused || now;
    return !now;
  };
  write("b");
  EXPECT_TRUE(refused);
  EXPECT_FALSE(disk.has("log.reserve"));
  EXPECT_TRUE(disk.has("log-0000000000000002.log"));
}

TEST_F(LogWriterTest, AFullDiskIsToldFromABrokenOne) {
  create();
  write("a");
  disk.capacity = disk.used();
  append("b");
  EXPECT_EQ(log->flush().kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(log->state().kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(log->append(1, 0, "c").kind(), ErrorKind::kNoSpace);
  log.reset();
  EXPECT_EQ(LogWriter::resume(disk, options, read()).kind(), ErrorKind::kNoSpace);
  disk.capacity = uint64_t{1} << 30;
  resume();
  append("b");
  fail("sync");
  EXPECT_EQ(log->flush().kind(), ErrorKind::kMedium);
  EXPECT_EQ(log->settle().kind(), ErrorKind::kMedium);
  disk.permits = nullptr;
  EXPECT_EQ(log->cut(Position(1)).kind(), ErrorKind::kMedium);
}

TEST_F(LogWriterTest, J8LittleRoomIsSaidEarly) {
  options.reserve_bytes = 16 * kBlockBytes;
  options.low_bytes = 100 * kBlockBytes;
  create();
  disk.capacity = disk.used() + options.low_bytes;
  EXPECT_EQ(*log->check_space(), Space::kEnough);
  write("a");
  EXPECT_EQ(*log->check_space(), Space::kLow);
  EXPECT_TRUE(disk.has("log.reserve"));
}

TEST_F(LogWriterTest, AWriteThatFailsWithRoomLeftKeepsTheReserve) {
  options.reserve_bytes = 16 * kBlockBytes;
  create();
  append("a");
  fail("write");
  EXPECT_FALSE(log->flush().ok());
  EXPECT_TRUE(disk.has("log.reserve"));
}

TEST_F(LogWriterTest, ADiskThatIsTooFullForTheReserveStillTakesRecords) {
  options.reserve_bytes = 16 * kBlockBytes;
  disk.capacity = 8 * kBlockBytes;
  create();
  EXPECT_FALSE(disk.has("log.reserve"));
  EXPECT_EQ(*log->check_space(), Space::kReserveUsed);
  write("a");
}

TEST_F(LogWriterTest, AReserveThatIsThereIsTakenOver) {
  options.reserve_bytes = 16 * kBlockBytes;
  create();
  resume();
  EXPECT_EQ(disk.count("create log.reserve"), 0u);
  disk.put_file("log.reserve", "too short");
  resume();
  EXPECT_EQ(disk.content("log.reserve").size(), options.reserve_bytes);
}

}  // namespace
}  // namespace eve::journal
