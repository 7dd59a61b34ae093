#include "cli/doctor_checkpoints.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/doctor_report.h"
#include "durability/checkpoint_testing.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::cli {
namespace {

using durability::testing::Writer;
using nlohmann::json;

/// A log with records 1 to 7, and a checkpoint.
class DoctorCheckpointsTest : public ::testing::Test {
 protected:
  DoctorCheckpointsTest() {
    auto options = journal::testing::small_options();
    options.name = "commands";
    options.owner = durability::testing::header().owner;
    auto made = journal::LogWriter::create(disk, options, durability::testing::header().life);
    EXPECT_TRUE(made.ok());
    log = std::move(*made);
    for (int i = 0; i < 7; ++i) {
      EXPECT_TRUE(log->append(4, 0, Bytes(1000, 'x')).ok() && log->flush().ok());
    }
    writer.write(0, 20, "v");
  }
  void checkpoint(uint64_t position) {
    const auto made =
        durability::testing::write_checkpoint(disk, writer.replica, journal::Position(position));
    ASSERT_TRUE(made.ok());
    name = *made;
  }
  json look() {
    json report = inspect_directory(disk, "/data", "boot-1");
    EXPECT_NE(to_text(report).find("checkpoint " + name), std::string::npos);
    return report;
  }
  static bool finds(const json& report, const std::string& part) {
    for (const auto& finding : report["findings"]) {
      if (finding.get<std::string>().find(part) != std::string::npos) return true;
    }
    return false;
  }

  journal::testing::TestDisk disk;
  std::unique_ptr<journal::LogWriter> log;
  Writer writer;
  std::string name;
};

TEST_F(DoctorCheckpointsTest, AWholeOneIsToldWithItsBatch) {
  checkpoint(5);
  const json report = look();
  EXPECT_EQ(report["health"], "sound") << report;
  EXPECT_TRUE(report["findings"].empty()) << report["findings"];
  ASSERT_EQ(report["checkpoints"].size(), 1u);
  const json& found = report["checkpoints"][0];
  EXPECT_EQ(found["state"], "whole");
  EXPECT_EQ(found["number"], writer.replica.number);
  EXPECT_EQ(found["position"], 5);
  EXPECT_EQ(found["state_root"], writer.replica.runner.root().hex());
  EXPECT_FALSE(found.contains("unused"));
  EXPECT_TRUE(report["other_files"].empty());
}

TEST_F(DoctorCheckpointsTest, DamageAnywhereIsFound) {
  checkpoint(5);
  for (size_t at = 0; at < disk.content(name).size(); at += 211) {
    disk.flip(name, at);
    const json report = look();
    EXPECT_EQ(report["health"], "damaged") << at;
    EXPECT_TRUE(finds(report, name + " is damaged")) << report["findings"];
    EXPECT_EQ(report["checkpoints"][0]["state"], "damaged");
    disk.flip(name, at);
  }
}

// As open_executor() does: notes would get positions that the checkpoint has them passed by at.
TEST_F(DoctorCheckpointsTest, OneThatTheLogDoesNotReachCostsTheNodeItsMemory) {
  checkpoint(8);
  EXPECT_EQ(look()["health"], "sound") << "nothing is needed on top of it";
  const auto older = name;
  checkpoint(9);
  const json report = look();
  EXPECT_TRUE(finds(report, "the log ends with record 7, before " + name + " was taken"))
      << report["findings"];
  EXPECT_EQ(report["health"], "damaged") << "the older one is not tried: " << older;
}

TEST_F(DoctorCheckpointsTest, OneOfAnotherLogIsNotUsed) {
  disk = journal::testing::TestDisk();
  auto options = journal::testing::small_options();
  options.name = "commands";
  options.owner = durability::testing::header().owner;
  auto anew = journal::LogWriter::create(disk, options, journal::testing::life(1));
  ASSERT_TRUE(anew.ok());
  checkpoint(9);
  const json report = look();
  EXPECT_TRUE(finds(report, name + " is not used: it is of a log that is gone"))
      << report["findings"];
  EXPECT_EQ(report["health"], "sound") << "the log has all that there was since";
}

TEST_F(DoctorCheckpointsTest, WithOneOfAnotherNodeNobodyStarts) {
  disk = journal::testing::TestDisk();
  auto options = journal::testing::small_options();
  options.name = "commands";
  auto another = journal::LogWriter::create(disk, options, durability::testing::header().life);
  ASSERT_TRUE(another.ok());
  checkpoint(1);
  const json report = look();
  EXPECT_TRUE(finds(report, "is of another node than the log: the node does not start"));
  EXPECT_EQ(report["health"], "damaged");
}

TEST_F(DoctorCheckpointsTest, WithoutALogTheMemoryIsGone) {
  disk = journal::testing::TestDisk();
  checkpoint(5);
  const json report = look();
  EXPECT_TRUE(finds(report, "there is no log that goes on from them")) << report["findings"];
  EXPECT_EQ(report["health"], "damaged");
}

TEST_F(DoctorCheckpointsTest, ALogThatWasCutNeedsOne) {
  checkpoint(7);
  ASSERT_TRUE(log->cut(journal::Position(6)).ok());
  EXPECT_EQ(look()["health"], "sound");
  disk.flip(name, 2000);
  const json report = look();
  EXPECT_TRUE(finds(report, "no checkpoint goes before it")) << report["findings"];
  EXPECT_EQ(report["health"], "damaged");
}

TEST_F(DoctorCheckpointsTest, WhatIsNotWholeByItsNameIsSaid) {
  checkpoint(5);
  disk.put_file("checkpoint-0000000000000008.new", "x");
  disk.put_file("checkpoint-0000000000000007.damaged", "x");
  const json report = look();
  EXPECT_EQ(report["health"], "sound");
  EXPECT_TRUE(finds(report, "7.damaged was set aside earlier"));
  std::map<std::string, std::string> states;
  for (const auto& each : report["checkpoints"]) states[each["file"]] = each["state"];
  EXPECT_EQ(states["checkpoint-0000000000000008.new"], "unfinished");
  EXPECT_EQ(states["checkpoint-0000000000000007.damaged"], "set aside");
}

}  // namespace
}  // namespace eve::cli
