#include "cli/doctor_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/doctor_log.h"
#include "durability/log_marks.h"
#include "durability/mark_file.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::cli {
namespace {

using journal::LogWriter;
using nlohmann::json;

const std::string kFirst = "commands-0000000000000001.log";

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() { write("commands"); }

  void write(const std::string& name, bool close = true) {
    auto options = journal::testing::small_options();
    options.name = name;
    auto log = LogWriter::create(disk, options, journal::testing::life(1));
    ASSERT_TRUE(log.ok()) << log.message();
    for (int i = 0; i < 7; ++i) {
      EXPECT_TRUE((*log)->append(i < 3 ? 1 : 2, 0, Bytes(1000, 'x')).ok());
      EXPECT_TRUE((*log)->flush().ok());
    }
    const Status closed = close ? (*log)->close() : Status();
    EXPECT_TRUE(closed.ok());
  }
  /// Looks, and sees to it that nothing was changed.
  json look() {
    disk.calls.clear();
    json report = inspect_directory(disk, "/data", "boot-1");
    EXPECT_TRUE(disk.calls.empty()) << disk.calls.front();
    EXPECT_NE(to_text(report).find("/data: " + report["health"].get<std::string>()),
              std::string::npos);
    return report;
  }
  static bool finds(const json& report, const std::string& part) {
    for (const auto& finding : report["findings"]) {
      if (finding.get<std::string>().find(part) != std::string::npos) return true;
    }
    return false;
  }

  journal::testing::TestDisk disk;
};

TEST_F(DoctorTest, ASoundLogIsCounted) {
  disk.put_file("keys", "secret");
  const json report = look();
  EXPECT_EQ(exit_status(health_of(report)), 0);
  EXPECT_TRUE(report["findings"].empty()) << report;
  const json& log = report["logs"].at(0);
  EXPECT_EQ(log["name"], "commands");
  EXPECT_EQ(log["node"], "verifier-2");
  EXPECT_EQ(log["cluster"], "cluster-1");
  EXPECT_EQ(log["records"], 7);
  EXPECT_EQ(log["settled"], 8);
  EXPECT_EQ(log["opened"], 1);
  EXPECT_EQ(log["tail"], "closed");
  ASSERT_EQ(log["kinds"].size(), 2u);
  EXPECT_EQ(log["kinds"][0]["records"], 3);
  EXPECT_EQ(log["kinds"][1]["records"], 4);
  EXPECT_EQ(log["kinds"][1]["bytes"], 4000);
  EXPECT_EQ(log["segments"].size(), 2u);
  EXPECT_EQ(log["segments"][0]["state"], "in use");
  ASSERT_EQ(report["other_files"].size(), 1u);
  EXPECT_EQ(report["other_files"][0]["file"], "keys");
  EXPECT_EQ(report["used_bytes"], disk.used());
}

TEST_F(DoctorTest, ATornTailIsSound) {
  disk = journal::testing::TestDisk();
  write("commands", false);
  disk.blank("commands-0000000000000002.log", 2 * journal::kBlockBytes + journal::kPieceBytes,
             journal::kPieceBytes);
  const json report = look();
  EXPECT_EQ(report["health"], "sound");
  EXPECT_EQ(report["logs"][0]["tail"], "torn");
  EXPECT_NE(to_text(report).find("torn: a crash interrupted"), std::string::npos);
}

TEST_F(DoctorTest, DamageIsNamedWithItsPlace) {
  disk.flip(kFirst, 3 * journal::kBlockBytes + 100);
  const json report = look();
  EXPECT_EQ(exit_status(health_of(report)), 1);
  EXPECT_TRUE(finds(report, kFirst + " is damaged at byte 12288")) << report;
  EXPECT_TRUE(finds(report, "records from 3 on are lost"));
  EXPECT_EQ(report["logs"][0]["segments"][0]["state"], "to be set aside");
  EXPECT_EQ(report["logs"][0]["known_end"], 8);
}

TEST_F(DoctorTest, NoReadableHeaderIsDamage) {
  disk.flip(kFirst, 100);
  disk.flip("commands-0000000000000002.log", 100);
  const json report = look();
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "no segment has a readable header"));
}

TEST_F(DoctorTest, WhatWasSetAsideEarlierIsSaid) {
  disk.put_file("commands-0000000000000001.log.damaged", "x");
  disk.put_file("commands-000000000000000a.log.new", "x");
  json report = look();
  EXPECT_EQ(report["health"], "sound");
  EXPECT_TRUE(finds(report, "1.log.damaged was set aside earlier"));
  EXPECT_EQ(report["logs"][0]["segments"][3]["state"], "unfinished");
  for (const auto& name : disk.names()) {
    if (name.find(".log.damaged") == std::string::npos) disk.lose(name);
  }
  report = look();
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "there was a log"));
}

// Who sets a part aside goes on with a newer one.
TEST_F(DoctorTest, WhatWasSetAsideAndNotReplacedIsMissed) {
  disk.put_file("commands-0000000000000009.log.damaged", "x");
  const json report = look();
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "the log ends before it"));
}

TEST_F(DoctorTest, ALossThatIsOnRecordIsToldUntilItIsMadeUpFor) {
  auto options = journal::testing::small_options();
  options.name = "verifier1";
  auto log = LogWriter::create(disk, options, journal::testing::life(2), {{0xff01, 0, "gone"}});
  ASSERT_TRUE(log.ok());
  json report = look();
  EXPECT_EQ(report["health"], "sound");
  EXPECT_TRUE(finds(report, "has lost something of its memory"));
  EXPECT_TRUE(finds(report, "(gone)"));
  EXPECT_EQ(report["logs"][1]["kinds"][0]["name"], "note of a loss");
  EXPECT_EQ(report["logs"][0]["kinds"][0]["name"], "beginning");
  ASSERT_TRUE((*log)->append(0xff00, 0, "").ok() && (*log)->flush().ok());
  report = look();
  EXPECT_TRUE(report["findings"].empty()) << report;
}

TEST_F(DoctorTest, ALogThatWasNotSyncedLacksItsEndAfterAReboot) {
  disk = journal::testing::TestDisk();
  write("commands", false);
  const auto ran_in = [this](const std::string& machine_start) {
    ASSERT_TRUE(durability::write_mark(disk, durability::start_mark("commands"),
                                       durability::start_text(machine_start))
                    .ok());
  };
  ran_in("boot-1");
  EXPECT_EQ(look()["health"], "sound") << "the machine went on";
  ran_in("boot-0");
  const json report = look();
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "its end may be missing. The node begins as one that has lost"))
      << report["findings"];
  disk = journal::testing::TestDisk();
  write("commands");
  ran_in("boot-0");
  EXPECT_EQ(look()["health"], "sound") << "it ended in order, and had synced everything";
}

TEST_F(DoctorTest, ALogThatTookTheOldOnesPlace) {
  ASSERT_TRUE(durability::write_mark(disk, durability::lost_mark("commands"), "unreadable").ok());
  const json report = look();
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "an earlier log was set aside: unreadable"));
}

TEST_F(DoctorTest, OneBadLogAmongSeveral) {
  write("verifier0");
  disk.flip("verifier0-0000000000000001.log", journal::kBlockBytes + 100);
  const json report = look();
  EXPECT_EQ(report["logs"].size(), 2u);
  EXPECT_EQ(report["health"], "damaged");
  EXPECT_TRUE(finds(report, "log verifier0: "));
  EXPECT_FALSE(finds(report, "log commands: "));
}

TEST_F(DoctorTest, WhatCannotBeLookedAtIsNeitherSoundNorDamaged) {
  disk.reading = [](const std::string& call) {
    return call.rfind("read", 0) == 0 ? Status(Error{"too many files are open"}) : Status();
  };
  const json report = look();
  EXPECT_EQ(exit_status(health_of(report)), 2);
  EXPECT_TRUE(finds(report, "too many files are open"));
}

TEST_F(DoctorTest, ALaterReleasesLogIsLeftToIt) {
  for (const auto& name : disk.names()) {
    Bytes header = disk.content(name).substr(0, journal::kBlockBytes);
    header[24] = 2;
    const auto sum = journal::checksum(ByteView(header).substr(24));
    header.replace(8, sum.size(), reinterpret_cast<const char*>(sum.data()), sum.size());
    disk.damage(name, [&](Bytes& bytes) { bytes.replace(0, header.size(), header); });
  }
  const json report = look();
  EXPECT_EQ(report["health"], "unknown");
  EXPECT_TRUE(finds(report, "has format 2"));
}

TEST_F(DoctorTest, KindsOfNotesHaveNames) {
  EXPECT_EQ(record_kind("commands", 4), "batch run");
  EXPECT_EQ(record_kind("promises", 4), "vote to prepare");
  EXPECT_EQ(record_kind("promises", 99), "kind 99");
  EXPECT_EQ(record_kind("others", 4), "kind 4");
}

TEST_F(DoctorTest, NothingIsNotSound) {
  disk = journal::testing::TestDisk();
  disk.put_file("log-1.txt", "x");
  const json report = look();
  EXPECT_EQ(exit_status(health_of(report)), 2);
  EXPECT_TRUE(finds(report, "is it the right directory?"));
}

}  // namespace
}  // namespace eve::cli
