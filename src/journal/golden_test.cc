// The format does not change by accident: tests/journal holds a log that an earlier build wrote.
// Today's code reads it, and writes the same bytes. Another format is another kFormatVersion, with
// files of its own beside these, which EVE_WRITE_GOLDEN=1 in the environment makes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/source_file.h"
#include "journal/log_reader.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

using testing::Collector;
using testing::TestDisk;

std::filesystem::path folder() {
  return source_file(__FILE__).parent_path() / ".." / ".." / "tests" / "journal";
}

LogOptions options() {
  LogOptions options = testing::small_options();
  options.name = "golden";
  options.owner = {"5e7a1c", "executor-0 4f2d"};
  options.segment_bytes = 3 * kBlockBytes;
  return options;
}

/// Every kind of thing that the format has: several records in a group, empty and binary payloads,
/// pieces of zeroes, a mark, a segment that continues another one, one of a second process with
/// groups written again, and an orderly end.
void write_log(TestDisk& disk) {
  auto log = LogWriter::create(disk, options(), testing::life(0x5a));
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->append(1, 1, "first").ok());
  ASSERT_TRUE((*log)->append(2, ~uint64_t{0}, "").ok());
  ASSERT_TRUE((*log)->flush().ok());
  ASSERT_TRUE((*log)->settle().ok());
  ASSERT_TRUE((*log)->append(0xffff, 2, Bytes("\0\xff\n", 3) + Bytes(1500, '\0')).ok());
  ASSERT_TRUE((*log)->flush().ok());
  log->reset();
  Collector seen;
  auto recovery = read_log(disk, options(), seen);
  ASSERT_TRUE(recovery.ok());
  log = LogWriter::resume(disk, options(), *recovery, {{3, 7, "second process"}});
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->append(1, 3, "last").ok());
  ASSERT_TRUE((*log)->close().ok());
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_files(TestDisk& disk) {
  std::filesystem::create_directories(folder());
  for (const auto& name : disk.names()) {
    std::ofstream(folder() / name, std::ios::binary) << disk.content(name);
  }
}

TEST(Golden, TodaysCodeWritesTheSameBytes) {
  TestDisk disk;
  write_log(disk);
  if (std::getenv("EVE_WRITE_GOLDEN") != nullptr) write_files(disk);
  std::vector<std::string> golden;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    golden.push_back(entry.path().filename().string());
  }
  std::sort(golden.begin(), golden.end());
  ASSERT_EQ(golden, disk.names()) << folder();
  for (const auto& name : golden) {
    EXPECT_TRUE(read_file(folder() / name) == disk.content(name)) << name;
  }
}

TEST(Golden, TodaysCodeReadsThem) {
  TestDisk disk;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    disk.put_file(entry.path().filename().string(), read_file(entry.path()));
  }
  Collector seen;
  const auto recovery = read_log(disk, options(), seen);
  ASSERT_TRUE(recovery.ok());
  EXPECT_TRUE(recovery->damage.empty());
  EXPECT_EQ(recovery->tail, Tail::kClosed);
  EXPECT_EQ(recovery->opened, 2u);
  const std::vector<testing::Seen> expected = {
      {Position(1), 1, 1, "first"},
      {Position(2), 2, ~uint64_t{0}, ""},
      {Position(3), 0xffff, 2, Bytes("\0\xff\n", 3) + Bytes(1500, '\0')},
      {Position(4), 3, 7, "second process"},
      {Position(5), 1, 3, "last"}};
  EXPECT_EQ(seen.records, expected);
}

}  // namespace
}  // namespace eve::journal
